import { expect, test } from "vitest";
import { describe } from "./describe";

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
