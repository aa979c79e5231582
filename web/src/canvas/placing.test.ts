import { expect, test } from "vitest";
import type { XY } from "./model";
import {
  type Bounds,
  cornerOf,
  isPlaced,
  middleOf,
  moved,
  type Placing,
  pastedAt,
  placed,
  resized,
  STAYS,
  turnedBy,
  unplaced,
} from "./placing";

const PICTURE = { width: 100, height: 80 };
const BOUNDS: Bounds = [10, 20, 29, 39];
const PIVOT = middleOf(BOUNDS);

function close(found: XY, expected: XY): void {
  expect(found[0]).toBeCloseTo(expected[0], 6);
  expect(found[1]).toBeCloseTo(expected[1], 6);
}

test("a place is scaled and turned about the middle, then shifted, and found again", () => {
  expect(PIVOT).toEqual([19.5, 29.5]);
  const placing: Placing = { shift: [5, -3], scale: 2, turn: 90 };
  close(placed([20.5, 29.5], PIVOT, placing), [24.5, 28.5]); // right of the middle goes below it, as a clock turns
  close(unplaced([24.5, 28.5], PIVOT, placing), [20.5, 29.5]);
});

test("only what goes elsewhere is placed", () => {
  expect([STAYS, { ...STAYS, turn: 1 }, { ...STAYS, shift: [0, 1] as XY }].map(isPlaced)).toEqual([
    false,
    true,
    true,
  ]);
});

test("the box lies around the pixels", () => {
  expect([0, 1, 2, 3].map((corner) => cornerOf(BOUNDS, corner as 0))).toEqual([
    [9.5, 19.5],
    [29.5, 19.5],
    [29.5, 39.5],
    [9.5, 39.5],
  ]);
});

test("a move keeps the middle on the picture, and goes straight where that is wanted", () => {
  expect(moved(STAYS, [7, 3], PIVOT, PICTURE).shift).toEqual([7, 3]);
  expect(moved(STAYS, [7, 3], PIVOT, PICTURE, true).shift).toEqual([7, 0]);
  expect(moved(STAYS, [-500, 500], PIVOT, PICTURE).shift).toEqual([-19.5, 49.5]);
});

test("a corner that is pulled resizes while the one across stays", () => {
  const start: Placing = { shift: [3, 4], scale: 1, turn: 30 };
  const anchor = placed(cornerOf(BOUNDS, 0), PIVOT, start);
  const far = placed(cornerOf(BOUNDS, 2), PIVOT, start);
  const pulled: XY = [anchor[0] + 1.5 * (far[0] - anchor[0]), anchor[1] + 1.5 * (far[1] - anchor[1])];
  const made = resized(start, BOUNDS, 2, pulled, false);
  expect([made.scale, made.turn]).toEqual([1.5, 30]);
  const stays = placed(cornerOf(BOUNDS, 0), PIVOT, made);
  expect(stays[0]).toBeCloseTo(anchor[0], 1);
  expect(stays[1]).toBeCloseTo(anchor[1], 1);
  expect(resized(STAYS, BOUNDS, 2, [39.5, 49.5], true)).toEqual({ shift: [0, 0], scale: 2, turn: 0 });
});

test("nothing is made smaller than can be seen", () => {
  expect(resized(STAYS, BOUNDS, 2, [-90, -90], false).scale).toBe(0.05);
});

test("a turn goes as the hand does around the middle, in notches where that is wanted", () => {
  const [x, y] = PIVOT;
  expect(turnedBy(STAYS, PIVOT, [x, y - 10], [x + 10, y], false).turn).toBe(90);
  expect(turnedBy({ ...STAYS, turn: 170 }, PIVOT, [x, y - 10], [x + 10, y], false).turn).toBe(-100);
  expect(turnedBy(STAYS, PIVOT, [x, y - 10], [x + 3, y - 10], true).turn).toBe(15);
});

test("what is pasted keeps its place on a picture of the same size, else lies in the middle and fits", () => {
  expect(pastedAt(BOUNDS, PICTURE, PICTURE)).toEqual({ by: [0, 0], scale: 1 });
  expect(pastedAt(BOUNDS, { width: 60, height: 60 }, PICTURE)).toEqual({ by: [30, 10], scale: 1 });
  expect(pastedAt([0, 0, 199, 99], { width: 300, height: 200 }, PICTURE).scale).toBe(0.4);
});
