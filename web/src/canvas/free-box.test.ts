import { expect, test } from "vitest";
import {
  contains,
  freeBoxBetween,
  grownBox,
  knobOf,
  middleBox,
  movedFreeBox,
  PULLS,
  pulledBox,
  SMALLEST_SIDE,
} from "./free-box";

const PICTURE = { width: 200, height: 100 };

test("a box lies between two places, whichever comes first, in whole pixels on the picture", () => {
  expect(freeBoxBetween([10.4, 20], [60, 49.6], PICTURE)).toEqual([10, 20, 50, 30]);
  expect(freeBoxBetween([60, 50], [10, 20], PICTURE)).toEqual([10, 20, 50, 30]);
  expect(freeBoxBetween([150, 80], [400, -30], PICTURE)).toEqual([150, 0, 50, 80]);
});

test("a box is never smaller than can be meant, and stays on the picture", () => {
  expect(freeBoxBetween([10, 10], [11, 10], PICTURE)).toEqual([10, 10, SMALLEST_SIDE, SMALLEST_SIDE]);
  expect(freeBoxBetween([200, 100], [200, 100], PICTURE)).toEqual([192, 92, 8, 8]);
  expect(freeBoxBetween([1, 1], [2, 2], { width: 4, height: 100 })).toEqual([0, 1, 4, 8]);
});

test("knobs are at corners and middles of edges, and pull only their edges", () => {
  const box = [20, 10, 40, 30] as const;
  expect(PULLS.map((pull) => knobOf(box, pull))).toEqual([
    [20, 10],
    [40, 10],
    [60, 10],
    [60, 25],
    [60, 40],
    [40, 40],
    [20, 40],
    [20, 25],
  ]);
  expect(pulledBox(box, [1, 0], [80, 90], PICTURE)).toEqual([20, 10, 60, 30]);
  expect(pulledBox(box, [-1, -1], [10, 5], PICTURE)).toEqual([10, 5, 50, 35]);
  expect(pulledBox(box, [-1, 0], [100, 0], PICTURE), "pulled over its other edge").toEqual([60, 10, 40, 30]);
});

test("a moved box keeps its size and stays on the picture; a grown one keeps its corner", () => {
  const box = [20, 10, 40, 30] as const;
  expect(movedFreeBox(box, -50, 200, PICTURE)).toEqual([0, 70, 40, 30]);
  expect(grownBox(box, 5, -10, PICTURE)).toEqual([20, 10, 45, 20]);
  expect(grownBox(box, -100, 0, PICTURE)).toEqual([20, 10, SMALLEST_SIDE, 30]);
});

test("a place on the edge is inside; the box in the middle has half the sides", () => {
  expect([contains([0, 0, 5, 5], [5, 5]), contains([0, 0, 5, 5], [5.1, 5])]).toEqual([true, false]);
  expect(middleBox(PICTURE)).toEqual([50, 25, 100, 50]);
});
