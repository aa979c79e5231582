import { expect, test } from "vitest";
import type { Change, Document, StepFacts } from "../messages";
import {
  apply,
  factsAt,
  meanDistance,
  mergeFacts,
  samePlace,
  trails,
  unanswered,
  withProblem,
} from "./reduce";
import { DOCUMENT, factsWith } from "./samples";

const EMPTY: Document = { ...DOCUMENT, at: null };
const POINT = { handle: [1, 2], target: [3, 4], locked: false } as const;
const OTHER = { handle: [5, 6], target: [7, 8], locked: true } as const;

function change(part: Partial<Change>): Change {
  return { type: "change", label: "Test", ...part };
}

function facts(step: number, part: Partial<StepFacts> = {}): StepFacts {
  return factsWith({ step, ...part });
}

test("a change replaces what it gives and leaves the rest", () => {
  const before: Document = { ...EMPTY, points: [POINT], mask: { image: "f", feather: 2 } };
  expect(apply(before, change({ points: [OTHER] }))).toEqual({ ...before, points: [OTHER] });
  expect(apply(before, change({ clear_mask: true })).mask).toBeNull();
  expect(apply(before, change({ mask: { image: "f", feather: 9 } })).mask?.feather).toBe(9);
  expect(apply(before, change({ mask: "iVBOR" })).mask).toEqual(before.mask);
});

test("settings belong to the mode that the change goes to", () => {
  const before: Document = { ...EMPTY, settings: { drag: { a: 1 }, blend: { b: 2 } } };
  expect(apply(before, change({ settings: { a: 5 } })).settings).toEqual({ drag: { a: 5 }, blend: { b: 2 } });
  expect(apply(before, change({ edit: "blend", settings: {} })).settings).toEqual({
    drag: { a: 1 },
    blend: {},
  });
});

test("gestures are shown until the server's document has them, in their order", () => {
  const first = change({ points: [POINT] });
  const second = change({ points: [POINT, OTHER] });
  expect(unanswered(EMPTY, [first, second])).toEqual([first, second]);
  expect(unanswered({ ...EMPTY, points: [POINT] }, [first, second])).toEqual([second]);
  expect(unanswered({ ...EMPTY, points: [POINT, OTHER] }, [first, second])).toEqual([]);
});

test("facts are appended, and reports that come twice are kept once", () => {
  const known = mergeFacts([], [facts(0), facts(1)]);
  expect(mergeFacts(known, [facts(2), facts(3)]).map(({ step }) => step)).toEqual([0, 1, 2, 3]);
  const again = mergeFacts(known, [facts(1, { loss: 5 }), facts(2)]);
  expect(again.map(({ step, loss }) => [step, loss])).toEqual([
    [0, null],
    [1, 5],
    [2, null],
  ]);
  expect(mergeFacts([facts(5)], [facts(0), facts(1)]).map(({ step }) => step)).toEqual([0, 1, 5]);
});

test("trails lead each handle from its first step to the shown one", () => {
  const run = [
    facts(0, {
      handles: [
        [0, 0],
        [9, 9],
      ],
    }),
    facts(1, {
      handles: [
        [1, 0],
        [9, 8],
      ],
    }),
    facts(2, {
      handles: [
        [2, 0],
        [9, 7],
      ],
    }),
  ];
  expect(trails(run, 1)).toEqual([
    [
      [0, 0],
      [1, 0],
    ],
    [
      [9, 9],
      [9, 8],
    ],
  ]);
  expect(trails([], 4)).toEqual([]);
});

test("facts of a step that was not reported are those before it", () => {
  expect(factsAt([facts(0), facts(4)], 3)?.step).toBe(0);
  expect(factsAt([facts(2)], 1)).toBeNull();
});

test("mean distance, where there are any", () => {
  expect(meanDistance(facts(0, { distances: [2, 4] }))).toBe(3);
  expect(meanDistance(facts(0))).toBeNull();
});

test("places", () => {
  expect(samePlace({ node: "a", step: 1 }, { node: "a", step: 1 })).toBe(true);
  expect(samePlace({ node: "a", step: 1 }, { node: "a", step: 2 })).toBe(false);
  expect(samePlace(null, null)).toBe(true);
  expect(samePlace(null, { node: "a", step: 1 })).toBe(false);
});

test("a newer problem takes the place of an older one of the same part", () => {
  const problems = withProblem([], { type: "problem", about: "run", sentence: "a" });
  const more = withProblem(problems, { type: "problem", about: "mask", sentence: "b" });
  const last = withProblem(more, { type: "problem", about: "run", sentence: "c" });
  expect(last.map(({ sentence }) => sentence)).toEqual(["b", "c"]);
});
