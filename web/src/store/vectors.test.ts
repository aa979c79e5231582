import { expect, test } from "vitest";
import type { VectorInfo } from "../messages";
import {
  foundVectors,
  fromSlider,
  isBeyond,
  rangeOf,
  readStrength,
  shownStrength,
  signed,
  strengthLabel,
  withStrength,
} from "./vectors";

function vector(part: Partial<VectorInfo>): VectorInfo {
  return { name: "smile", parts: ["mouth"], safe: [-1, 2], own: false, ...part };
}

test("a slider goes over what works and rests at 0", () => {
  expect(rangeOf(vector({}))).toEqual({ low: -1, high: 2, step: 0.015 });
  expect(rangeOf(vector({ safe: [0.5, 2] })).low).toBe(0);
  const range = rangeOf(vector({}));
  expect([fromSlider(range, 0.05), fromSlider(range, -0.05), fromSlider(range, 1.2345)]).toEqual([
    0, 0, 1.23,
  ]);
});

test("typed strengths go further, up to 10 either way", () => {
  expect(["1,5", " -3 ", "−2", "99", "-99", "", "much"].map(readStrength)).toEqual([
    1.5,
    -3,
    -2,
    10,
    -10,
    null,
    null,
  ]);
  expect([isBeyond(vector({}), 2), isBeyond(vector({}), 2.1), isBeyond(vector({}), -1.1)]).toEqual([
    false,
    true,
    true,
  ]);
});

test("0 takes an edit away", () => {
  expect(withStrength({ smile: 1 }, "age", 2)).toEqual({ smile: 1, age: 2 });
  expect(withStrength({ smile: 1, age: 2 }, "smile", 0)).toEqual({ age: 2 });
});

test("a thumbnail shows as much as works, in the direction that was set", () => {
  expect([0, 0.5, -0.5].map((strength) => shownStrength(vector({}), strength))).toEqual([2, 2, -1]);
  expect(shownStrength(vector({ safe: [0, 2] }), -0.5)).toBe(-0.5);
  expect(shownStrength(vector({ safe: [-3, 1] }), 0)).toBe(-3);
});

test("strengths in words", () => {
  expect([2, -0.5, 0].map(signed)).toEqual(["+2", "−0.5", "0"]);
  expect(strengthLabel("n".repeat(100), -10).length).toBeLessThanOrEqual(60);
});

test("found by name and by part, the person's own first", () => {
  const all = [
    vector({}),
    vector({ name: "close eyes", parts: ["eyes"] }),
    vector({ name: "grin", own: true }),
  ];
  expect(foundVectors(all, "").map(({ name }) => name)).toEqual(["grin", "smile", "close eyes"]);
  expect(foundVectors(all, "Mouth sm").map(({ name }) => name)).toEqual(["smile"]);
  expect(foundVectors(all, "hair")).toEqual([]);
});
