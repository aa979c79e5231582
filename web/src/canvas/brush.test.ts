import { expect, test } from "vitest";
import { type Dab, dabRadius, markOf, StrokePath } from "./brush";

function stroke(...samples: Dab[]): Dab[] {
  const path = new StrokePath();
  const dabs = samples.flatMap((sample) => path.add(sample));
  return [...dabs, ...path.finish()];
}

function dab(x: number, y: number, radius = 4): Dab {
  return { x, y, radius };
}

test("a click is one dab", () => {
  expect(stroke(dab(5, 6))).toEqual([dab(5, 6)]);
});

test("a stroke begins and ends where the pointer did", () => {
  const dabs = stroke(dab(0, 0), dab(20, 10), dab(40, 0), dab(60, 30));
  expect(dabs[0]).toEqual(dab(0, 0));
  expect(dabs.at(-1)).toEqual(dab(60, 30));
});

test("a straight stroke stays straight", () => {
  for (const { y } of stroke(dab(0, 7), dab(10, 7), dab(50, 7), dab(51, 7))) {
    expect(y).toBeCloseTo(7);
  }
});

test("the curve is without corners: it turns little from dab to dab", () => {
  const dabs = stroke(dab(0, 0, 8), dab(100, 0, 8), dab(100, 100, 8), dab(0, 100, 8));
  const turns: number[] = [];
  const ways = dabs.slice(1).flatMap((to, index) => {
    const from = dabs[index] ?? to;
    return from.x === to.x && from.y === to.y ? [] : [Math.atan2(to.y - from.y, to.x - from.x)];
  });
  ways.slice(1).forEach((way, index) => {
    turns.push(Math.abs(way - (ways[index] ?? way)));
  });
  expect(Math.max(...turns.map((turn) => Math.min(turn, 2 * Math.PI - turn)))).toBeLessThan(0.2);
});

test("pieces follow each other without a gap", () => {
  const path = new StrokePath();
  let end: Dab | undefined;
  for (const sample of [dab(0, 0), dab(9, 3), dab(30, 4), dab(31, 40)]) {
    const dabs = path.add(sample);
    if (end !== undefined) {
      expect(dabs[0]).toEqual(end);
    }
    end = dabs.at(-1);
  }
  expect(path.finish()[0]).toEqual(end);
});

test("the radius goes smoothly from sample to sample", () => {
  const radii = stroke(dab(0, 0, 2), dab(50, 0, 10), dab(100, 0, 10)).map(({ radius }) => radius);
  expect(Math.min(...radii)).toBe(2);
  expect(Math.max(...radii)).toBe(10);
  expect([...radii].sort((a, b) => a - b)).toEqual(radii);
});

test("a pointer at rest adds nothing, unless it presses harder", () => {
  const path = new StrokePath();
  path.add(dab(3, 3, 2));
  expect(path.add(dab(3, 3, 2))).toEqual([]);
  expect(path.add(dab(3, 3, 5))).not.toEqual([]);
});

test("only a pen that tells its pressure changes the size", () => {
  expect(dabRadius(40, 0.5, false)).toBe(20);
  expect(dabRadius(40, 0, true)).toBe(20);
  expect(dabRadius(40, 1, true)).toBe(20);
  expect(dabRadius(40, 0.5, true)).toBeCloseTo(20 * 0.6);
});

test("erasing marks the opposite", () => {
  expect(markOf({ size: 1, paint: "change", erase: false })).toBe("change");
  expect(markOf({ size: 1, paint: "change", erase: true })).toBe("stay");
  expect(markOf({ size: 1, paint: "stay", erase: false })).toBe("stay");
  expect(markOf({ size: 1, paint: "stay", erase: true })).toBe("change");
});
