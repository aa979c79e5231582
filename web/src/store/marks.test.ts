import { expect, test } from "vitest";
import type { StepFacts } from "../messages";
import { marksAfterRun, pointsOfRun } from "./marks";
import type { XY } from "./reduce";
import { factsWith } from "./samples";

function facts(step: number, handles: readonly XY[]): StepFacts {
  return factsWith({ step, handles });
}

function point(handle: XY) {
  return { handle, target: [50, 50], locked: false } as const;
}

const RUN = { targets: [[50, 50]] as const, facts: [facts(0, [[10, 10]]), facts(5, [[30, 30]])] };
const MARKS = {
  tracked: [[30, 30]],
  trails: [
    [
      [10, 10],
      [30, 30],
    ],
  ],
} as const;

test("an old run is shown with the points it was made with", () => {
  expect(pointsOfRun(RUN)).toEqual([{ handle: [10, 10], target: [50, 50], locked: false }]);
  expect(pointsOfRun({ targets: [[1, 1]], facts: [] })).toEqual([]);
});

test("after a run whose handles followed, only the ways stay", () => {
  expect(marksAfterRun([point([30.4, 30])], RUN, 5, MARKS)).toEqual({ tracked: [], trails: MARKS.trails });
});

test("handles that were left behind get their dots", () => {
  expect(marksAfterRun([point([10, 10])], RUN, 5, MARKS)).toEqual(MARKS);
});

test("points that were changed since have nothing to do with the run", () => {
  const nothing = { tracked: [], trails: [] };
  expect(marksAfterRun([point([80, 10])], RUN, 5, MARKS)).toEqual(nothing);
  expect(marksAfterRun([], RUN, 5, MARKS)).toEqual(nothing);
});
