import { expect, test } from "vitest";
import { RUN } from "../store/samples";
import { pathOf } from "./curve";
import { readSeed } from "./gallery";
import { ago, count, duration, endWords, likenessWords, runWords, sentence, stageWords } from "./words";

const WAITING = { ...RUN, node: null, state: "waiting", position: 2, step: 0 } as const;

test("runs in words", () => {
  expect(runWords(WAITING)).toBe("Waiting: 2 runs before yours");
  expect(runWords({ ...WAITING, position: 0 })).toBe("Getting ready …");
  expect(runWords({ ...WAITING, state: "running", step: 12 })).toBe("Step 12 of 300");
  expect(runWords({ ...WAITING, state: "paused", step: 12, max_steps: null })).toBe("Paused at step 12");
});

test("the first frame of a run is no step", () => {
  const ended = { type: "ended", node: null, reason: "arrived", steps: 42, seconds: 1 } as const;
  expect(endWords(ended)).toBe("Arrived after 41 steps");
  expect(endWords({ ...ended, reason: "interrupted", steps: 2 })).toBe("Stopped after 1 step");
});

test("times", () => {
  expect([0.2, 59, 61, 3700].map(duration)).toEqual(["1 s", "59 s", "1 min 1 s", "1 h 1 min"]);
  expect([1000, 880, 1000 - 7200].map((then) => ago(then, 1000))).toEqual([
    "just now",
    "2 min ago",
    "2 h ago",
  ]);
});

test("counts and sentences", () => {
  expect([count(1, "run"), count(3, "run")]).toEqual(["1 run", "3 runs"]);
  expect([sentence("small faces"), sentence("Done."), sentence("")]).toEqual(["Small faces.", "Done.", ""]);
});

test("opening a photo in words", () => {
  expect(["w", "w+", "tune", "new"].map(stageWords)).toEqual([
    "Finding the picture",
    "Refining each layer",
    "Tuning the model to your photo",
    "new",
  ]);
  expect([10, 20, 26, 33].map(likenessWords)).toEqual([
    "Still another picture",
    "The features are there",
    "Close to the photo",
    "Hardly to be told from the photo",
  ]);
});

test("seeds are whole numbers below 2^32", () => {
  expect(["7", " 4294967295 ", "4294967296", "-1", "x", ""].map(readSeed)).toEqual([
    7,
    4294967295,
    null,
    null,
    null,
    null,
  ]);
});

test("a curve spans its box and leaves gaps where nothing was measured", () => {
  const points = [
    { step: 0, value: 10 },
    { step: 1, value: null },
    { step: 2, value: 0 },
  ];
  expect(pathOf(points, 2)).toBe("M0.0 4.0M256.0 72.0");
});
