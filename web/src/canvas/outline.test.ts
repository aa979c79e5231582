import { expect, test } from "vitest";
import { type Alphas, traceOutline } from "./outline";

function alphas(width: number, height: number, at: (x: number, y: number) => number): Alphas {
  return { width, height, at };
}

function endsOf(pieces: readonly number[]): string[] {
  const ends: string[] = [];
  for (let index = 0; index < pieces.length; index += 2) {
    ends.push(`${pieces[index]?.toFixed(4)} ${pieces[index + 1]?.toFixed(4)}`);
  }
  return ends;
}

test("there is no line where all is the same", () => {
  expect(traceOutline(alphas(9, 9, () => 255))).toEqual([]);
  expect(traceOutline(alphas(9, 9, () => 0))).toEqual([]);
});

test("an upright edge is a line midway between its pixels", () => {
  const pieces = traceOutline(alphas(4, 3, (x) => (x < 2 ? 0 : 255)));
  expect(pieces).toHaveLength(8);
  expect(pieces.filter((_, index) => index % 2 === 0)).toEqual([1.5, 1.5, 1.5, 1.5]);
});

test("a soft edge is crossed where it is half", () => {
  const pieces = traceOutline(alphas(2, 2, (x) => (x === 0 ? 0 : 170)));
  expect(pieces[0]).toBeCloseTo(0.75);
});

test("lines around islands close: each end belongs to two pieces", () => {
  const islands = (x: number, y: number) =>
    Math.hypot(x - 6, y - 6) < 4.3 || (x === 13 && y === 13) || (x === 14 && y === 14) ? 255 : 0;
  const ends = endsOf(traceOutline(alphas(20, 20, islands)));
  expect(ends.length).toBeGreaterThan(0);
  for (const end of new Set(ends)) {
    expect(ends.filter((other) => other === end)).toHaveLength(2);
  }
});

test("a disc is outlined by its circle", () => {
  const soft = (x: number, y: number) =>
    Math.max(0, Math.min(255, 127.5 + 100 * (10 - Math.hypot(x - 15, y - 15))));
  const pieces = traceOutline(alphas(31, 31, soft));
  for (let index = 0; index < pieces.length; index += 2) {
    expect(Math.hypot((pieces[index] ?? 0) - 15, (pieces[index + 1] ?? 0) - 15)).toBeCloseTo(10, 0);
  }
});
