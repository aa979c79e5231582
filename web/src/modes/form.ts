/** From a setting of the catalogue to a control of the form and back. */

import type { SettingInfo } from "../messages";

export type Value = boolean | number | string;
export type Values = Readonly<Record<string, Value>>;

/** Steps of a slider from end to end. */
export const SLIDER_STEPS = 200;

/** Where a value stands on its slider, 0 to SLIDER_STEPS; beyond the ends it rests at the end. */
export function toSlider(info: SettingInfo, value: number): number {
  const { low, high } = ends(info);
  const part = info.log
    ? Math.log(Math.max(value, low) / low) / Math.log(high / low)
    : (value - low) / (high - low);
  return Math.round(Math.min(Math.max(part, 0), 1) * SLIDER_STEPS);
}

/** The value at a place of the slider, rounded to what a person would type. */
export function fromSlider(info: SettingInfo, position: number): number {
  const { low, high } = ends(info);
  const part = position / SLIDER_STEPS;
  const value = info.log ? low * (high / low) ** part : low + (high - low) * part;
  return info.kind === "integer" ? Math.round(value) : tidy(value);
}

export function hasSlider(info: SettingInfo): boolean {
  const isNumber = info.kind === "number" || info.kind === "integer";
  return isNumber && info.low !== null && info.high !== null && info.high > info.low;
}

function ends(info: SettingInfo): { low: number; high: number } {
  const [low, high] = [info.low ?? 0, info.high ?? 1];
  return info.log && low <= 0 ? { low: high / 1000, high } : { low, high };
}

/** Three digits that count. */
export function tidy(value: number): number {
  return Number(value.toPrecision(3));
}

/** What a person typed, or null where it is no such value. */
export function readTyped(info: SettingInfo, text: string): number | null {
  const value = Number(text.trim().replace(",", "."));
  if (text.trim() === "" || !Number.isFinite(value)) return null;
  return info.kind === "integer" ? Math.round(value) : value;
}

export function currentValue(info: SettingInfo, values: Values): Value {
  return values[info.name] ?? info.default;
}

/** The settings that differ from the defaults after one was set. */
export function withValue(info: SettingInfo, values: Values, value: Value): Values {
  const { [info.name]: _, ...others } = values;
  return value === info.default ? others : { ...others, [info.name]: value };
}

const SPELLED: Readonly<Record<string, string>> = { wplus: "W+", psnr: "PSNR", l2: "L2" };

/** "patch_radius" to "Patch radius", "target_psnr" to "Target PSNR". */
export function labelOf(name: string): string {
  const words = name
    .split("_")
    .map((word) => SPELLED[word] ?? word)
    .join(" ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
