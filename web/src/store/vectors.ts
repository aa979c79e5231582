/** What a person does with learnt edits: strengths, ranges, search. */

import type { VectorInfo } from "../messages";

export type Strengths = Readonly<Record<string, number>>;

/** Typed strengths may go as far as this, either way. */
export const MOST_STRENGTH = 10;
/** Steps of a slider over the whole range. */
const STEPS = 200;
/** Share of the range around 0 within which a slider rests at 0. */
const REST = 0.025;

export interface Range {
  readonly low: number;
  readonly high: number;
  readonly step: number;
}

/** Strengths between which an edit works, with 0 among them. */
export function rangeOf({ safe }: VectorInfo): Range {
  const [low, high] = [Math.min(safe[0], 0), Math.max(safe[1], 0)];
  return { low, high, step: (high - low) / STEPS };
}

/** What a slider says: rounded to hundredths, and 0 where it is nearly that. */
export function fromSlider({ low, high }: Range, value: number): number {
  return Math.abs(value) < REST * (high - low) ? 0 : tidy(value);
}

function tidy(value: number): number {
  return Math.round(value * 100) / 100;
}

/** A number as people write it, within what is allowed; null for anything else. */
export function readStrength(text: string): number | null {
  const value = Number(text.trim().replace(",", ".").replace("−", "-"));
  if (text.trim() === "" || !Number.isFinite(value)) return null;
  return tidy(Math.min(Math.max(value, -MOST_STRENGTH), MOST_STRENGTH));
}

/** Nothing of an edit is the same as no such edit. */
export function withStrength(strengths: Strengths, name: string, strength: number): Strengths {
  const { [name]: _, ...others } = strengths;
  return strength === 0 ? others : { ...others, [name]: strength };
}

/** Pictures may break beyond the range in which an edit works. */
export function isBeyond({ safe }: VectorInfo, strength: number): boolean {
  return strength < Math.min(safe[0], 0) || strength > Math.max(safe[1], 0);
}

/** The strength at which a thumbnail shows an edit: as much as works, in the direction that was set. */
export function shownStrength({ safe: [low, high] }: VectorInfo, strength: number): number {
  if (strength !== 0) return (strength < 0 ? low : high) || strength;
  return Math.abs(low) > Math.abs(high) ? low : high;
}

/** "+2", "−0.5", "0". */
export function signed(strength: number): string {
  const size = String(Math.abs(strength));
  if (strength === 0) return size;
  return strength > 0 ? `+${size}` : `−${size}`;
}

/** Those whose name or parts have all the words; the person's own first. */
export function foundVectors(vectors: readonly VectorInfo[], wanted: string): readonly VectorInfo[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  const fitting = vectors.filter(({ name, parts }) => {
    const text = `${name} ${parts.join(" ")}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  return [...fitting.filter(({ own }) => own), ...fitting.filter(({ own }) => !own)];
}

/** How undo calls it, within what a label may have. */
export function strengthLabel(name: string, strength: number): string {
  return `${name.slice(0, 48)} ${signed(strength)}`;
}
