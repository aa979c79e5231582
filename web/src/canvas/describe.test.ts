import { expect, test } from "vitest";
import { describe, describeSpot } from "./describe";
import { STAYS } from "./placing";
import type { Selection } from "./selection";

test("points are told with their places, and what comes next", () => {
  expect(describe([], null)).toBe("No points.");
  const points = [
    { handle: [1.4, 2], target: [30, 40], locked: false },
    { handle: [5, 6], target: [7, 8], locked: true },
  ] as const;
  expect(describe(points, [9, 9])).toBe(
    "Point 1 from 1, 2 to 30, 40. Point 2 from 5, 6 to 7, 8, locked. Handle at 9, 9; choose its target.",
  );
});

test("things are told with where they go", () => {
  expect(describe([], null, null, [])).toBe("Nothing is selected.");
  const selection = { middle: [10.2, 20] } as unknown as Selection;
  const things = [
    { selection, placing: STAYS },
    { selection, placing: { ...STAYS, shift: [5, -3] } },
  ] as const;
  expect(describe([], null, null, things)).toBe("Thing 1 at 10, 20. Thing 2 at 10, 20, to 15, 17.");
});

test("the crosshair is told with what lies under it", () => {
  expect(describeSpot([10.2, 20], null, null)).toBe("10, 20.");
  expect(describeSpot([10, 20], { kind: "end", point: 1, end: "handle" }, null)).toBe(
    "10, 20: handle of point 2.",
  );
  expect(describeSpot([10, 20], null, 0)).toBe("10, 20: thing 1.");
});
