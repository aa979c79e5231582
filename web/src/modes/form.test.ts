import { expect, test } from "vitest";
import type { SettingInfo } from "../messages";
import {
  currentValue,
  fromSlider,
  hasSlider,
  labelOf,
  readTyped,
  SLIDER_STEPS,
  toSlider,
  withValue,
} from "./form";

function setting(part: Partial<SettingInfo>): SettingInfo {
  return {
    name: "step_size",
    kind: "number",
    default: 1,
    help: "",
    choices: [],
    low: 0,
    high: 10,
    log: false,
    live: false,
    main: true,
    ...part,
  };
}

test("a linear slider", () => {
  const info = setting({});
  expect(fromSlider(info, 0)).toBe(0);
  expect(fromSlider(info, SLIDER_STEPS / 2)).toBe(5);
  expect(toSlider(info, 5)).toBe(SLIDER_STEPS / 2);
  expect(toSlider(info, 99)).toBe(SLIDER_STEPS);
});

test("a logarithmic slider has equal ratios", () => {
  const info = setting({ low: 0.0001, high: 1, log: true });
  expect(fromSlider(info, SLIDER_STEPS / 2)).toBeCloseTo(0.01);
  expect(toSlider(info, 0.01)).toBe(SLIDER_STEPS / 2);
  expect(toSlider(setting({ low: 0, high: 10, log: true }), 0)).toBe(0);
});

test("whole numbers stay whole", () => {
  const info = setting({ kind: "integer", low: 1, high: 8 });
  expect(Number.isInteger(fromSlider(info, 77))).toBe(true);
  expect(readTyped(info, "3.7")).toBe(4);
});

test("a slider needs ends and a number", () => {
  expect(hasSlider(setting({}))).toBe(true);
  expect(hasSlider(setting({ low: null }))).toBe(false);
  expect(hasSlider(setting({ kind: "switch" }))).toBe(false);
});

test("typed numbers, also with a comma; nonsense is none", () => {
  expect(readTyped(setting({}), " 2,5 ")).toBe(2.5);
  expect(readTyped(setting({}), "1e-3")).toBe(0.001);
  expect(readTyped(setting({}), "")).toBeNull();
  expect(readTyped(setting({}), "much")).toBeNull();
});

test("only what differs from the default is kept", () => {
  const info = setting({});
  expect(withValue(info, { other: 2 }, 5)).toEqual({ other: 2, step_size: 5 });
  expect(withValue(info, { other: 2, step_size: 5 }, 1)).toEqual({ other: 2 });
  expect(currentValue(info, {})).toBe(1);
  expect(currentValue(info, { step_size: 5 })).toBe(5);
});

test("names as people read them", () => {
  expect(labelOf("patch_radius")).toBe("Patch radius");
  expect(labelOf("wplus_steps")).toBe("W+ steps");
  expect(labelOf("target_psnr")).toBe("Target PSNR");
});
