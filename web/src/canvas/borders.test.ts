import { expect, test } from "vitest";
import { traceBorders } from "./borders";

function cells(...rows: string[]) {
  return {
    width: rows[0]?.length ?? 0,
    height: rows.length,
    at: (x: number, y: number) => Number(rows[y]?.[x]),
  };
}

test("one part has no border", () => {
  expect(traceBorders(cells("111", "111"))).toEqual([]);
});

test("between two parts runs one line, half a pixel from the centres of both", () => {
  expect(traceBorders(cells("12", "12"))).toEqual([0.5, 0, 0.5, 1]);
});

test("where three or four parts meet, their lines meet", () => {
  for (const corner of [cells("12", "33"), cells("12", "34")]) {
    const pieces = traceBorders(corner);
    const ends = Array.from({ length: pieces.length / 4 }, (_, piece) =>
      pieces.slice(4 * piece + 2, 4 * piece + 4),
    );
    expect(ends.length).toBeGreaterThan(2);
    expect(ends.every(([x, y]) => x === 0.5 && y === 0.5)).toBe(true);
  }
});
