/** Strokes of the brush, without a canvas: what the pointer did, as a smooth row of dabs. */

import type { Brush } from "./model";
import { clamp } from "./viewport";

/** A disc of the brush, in pixels of the picture. */
export interface Dab {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

export type Mark = "change" | "stay";

/** Share of the size that a pen paints when it hardly touches. */
const LIGHTEST = 0.2;

/** What a stroke marks. */
export function markOf(brush: Brush): Mark {
  return (brush.paint === "change") !== brush.erase ? "change" : "stay";
}

/** Only a pen that tells its pressure changes the size. */
export function dabRadius(size: number, pressure: number, pen: boolean): number {
  const share = pen && pressure > 0 && pressure < 1 ? LIGHTEST + (1 - LIGHTEST) * pressure : 1;
  return (size / 2) * share;
}

/**
 * Joins samples by curves: each piece runs from the middle of two samples to the middle of the next two, bent
 * towards the sample between.
 */
export class StrokePath {
  private before: Dab | null = null;
  private last: Dab | null = null;
  private end: Dab | null = null;

  /** Dabs that the sample adds, the end of what was there before first. */
  add(sample: Dab): readonly Dab[] {
    const { before, last, end } = this;
    if (last !== null && sample.x === last.x && sample.y === last.y && sample.radius <= last.radius) {
      return [];
    }
    this.before = last;
    this.last = sample;
    if (last === null || end === null) {
      this.end = sample;
      return [sample];
    }
    this.end = between(last, sample, 0.5);
    return before === null ? line(end, this.end) : curve(end, last, this.end);
  }

  /** The way to the last sample itself. */
  finish(): readonly Dab[] {
    const { before, last, end } = this;
    return before === null || last === null || end === null ? [] : line(end, last);
  }
}

/** A straight stroke. */
export function line(from: Dab, to: Dab): readonly Dab[] {
  return [from, to];
}

function curve(from: Dab, bend: Dab, to: Dab): readonly Dab[] {
  const length = Math.hypot(bend.x - from.x, bend.y - from.y) + Math.hypot(to.x - bend.x, to.y - bend.y);
  const pieces = clamp(Math.ceil(length / Math.max(0.5, to.radius / 4)), 1, 64);
  return Array.from({ length: pieces + 1 }, (_, index) => {
    const t = index / pieces;
    return between(between(from, bend, t), between(bend, to, t), t);
  });
}

function between(a: Dab, b: Dab, t: number): Dab {
  return { x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t, radius: a.radius + (b.radius - a.radius) * t };
}
