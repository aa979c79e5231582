import { beforeEach, expect, test } from "vitest";
import type { Press } from "./gestures";
import type { ThingMark, XY } from "./model";
import { type Bounds, middleOf, STAYS } from "./placing";
import type { Selection } from "./selection";
import { STALK, type ThingsAct, ThingsGestures, type ThingsScene, thingGripAt } from "./things-gestures";

/** A rectangle, without a canvas. */
function rectangle(bounds: Bounds): Selection {
  const [left, top, right, bottom] = bounds;
  const has = ([x, y]: XY) => x >= left && x <= right && y >= top && y <= bottom;
  return { bounds, middle: middleOf(bounds), has } as unknown as Selection;
}

const FIRST: ThingMark = { selection: rectangle([10, 10, 29, 29]), placing: STAYS };
const SECOND: ThingMark = { selection: rectangle([60, 60, 79, 79]), placing: { ...STAYS, shift: [10, 0] } };

const SCENE: ThingsScene = {
  view: { scale: 4, x: 0, y: 0 },
  picture: { width: 100, height: 100 },
  things: [FIRST, SECOND],
  selected: 0,
  action: "click",
  movable: true,
  brush: 10,
};

/** On the middle of a pixel. */
function press([x, y]: XY, keys: Partial<Press> = {}): Press {
  const at: XY = [(x + 0.5) * 4, (y + 0.5) * 4];
  return { at, pointer: "mouse", pressure: 0.5, second: false, shift: false, alt: false, time: 0, ...keys };
}

let acts: ThingsAct[] = [];
let gestures = new ThingsGestures((act) => acts.push(act));
beforeEach(() => {
  acts = [];
  gestures = new ThingsGestures((act) => acts.push(act));
});

function pull(scene: ThingsScene, ...ways: readonly Press[]): void {
  const [first, last] = [ways[0] as Press, ways.at(-1) as Press];
  gestures.down(first, scene);
  for (const way of ways.slice(1)) gestures.move([way], scene);
  gestures.up(last, scene);
}

test("handles of the chosen thing come first, then the thing where it is, then the picture", () => {
  const grip = (place: XY, scene = SCENE) => thingGripAt(scene, press(place));
  expect(grip([29.5, 29.5])).toEqual({ kind: "corner", corner: 2 });
  expect(thingGripAt(SCENE, { at: [80, 40 - STALK], pointer: "mouse" })).toEqual({ kind: "turn" });
  expect(grip([20, 20])).toEqual({ kind: "inside", index: 0 });
  expect(grip([85, 70])).toEqual({ kind: "inside", index: 1 });
  expect(grip([62, 70])).toEqual({ kind: "picture" });
  expect(grip([29.5, 29.5], { ...SCENE, movable: false })).toEqual({ kind: "picture" });
  expect(grip([200, 5])).toBeNull();
});

test("a pull of a thing chooses and moves it; a click only chooses", () => {
  pull(SCENE, press([75, 70]), press([80, 72]));
  const placing = { ...STAYS, shift: [15, 2] };
  expect(acts).toEqual([
    { do: "select", index: 1 },
    { do: "place", index: 1, placing, label: "Move" },
  ]);
  acts = [];
  pull(SCENE, press([20, 20]));
  expect(acts).toEqual([{ do: "select", index: 0 }]);
});

test("where nothing moves, a pull only chooses", () => {
  pull({ ...SCENE, movable: false }, press([20, 20]), press([40, 20]));
  expect(acts).toEqual([{ do: "select", index: 0 }]);
});

test("a click beside the things selects, with Shift to the chosen one, with Alt from it", () => {
  pull(SCENE, press([45, 45]));
  pull(SCENE, press([20, 20], { shift: true }));
  pull(SCENE, press([20, 20], { alt: true }));
  expect(acts).toEqual([
    { do: "click", at: [45, 45], joining: "new" },
    { do: "click", at: [20, 20], joining: "add" },
    { do: "click", at: [20, 20], joining: "subtract" },
  ]);
});

test("in the chosen thing's box a pull moves it, and a click is one on the picture", () => {
  const holey = { ...FIRST, selection: { ...FIRST.selection, has: () => false } as unknown as Selection };
  const scene: ThingsScene = { ...SCENE, things: [holey, SECOND] };
  expect(thingGripAt(scene, press([20, 20]))).toEqual({ kind: "around", index: 0 });
  pull(scene, press([20, 20]), press([25, 20]));
  pull(scene, press([20, 20]));
  expect(acts).toMatchObject([
    { do: "place", index: 0, placing: { shift: [5, 0] } },
    { do: "click", at: [20, 20] },
  ]);
  expect(thingGripAt({ ...scene, action: "lasso" }, press([20, 20]))).toEqual({ kind: "picture" });
});

test("a pull over the picture is no click", () => {
  pull(SCENE, press([45, 45]), press([55, 45]));
  expect(acts).toEqual([]);
});

test("a box has two corners on the picture; one too small lets go", () => {
  const scene: ThingsScene = { ...SCENE, action: "box" };
  pull(scene, press([40, 40]), press([50, 120]));
  pull(scene, press([40, 40]), press([41, 41]));
  expect(acts).toEqual([
    { do: "box", from: [40, 40], to: [50, 99], joining: "new" },
    { do: "select", index: null },
  ]);
});

test("a lasso is the line that was drawn", () => {
  const scene: ThingsScene = { ...SCENE, action: "lasso" };
  gestures.down(press([40, 40]), scene);
  gestures.move([press([50, 40]), press([50, 50])], scene);
  expect(gestures.line).toHaveLength(3);
  gestures.up(press([45, 50]), scene);
  expect(acts).toMatchObject([{ do: "lasso", joining: "new" }]);
  expect(gestures.line).toEqual([]);
});

test("the brush paints also over things, piece by piece", () => {
  const scene: ThingsScene = { ...SCENE, action: "brush" };
  pull(scene, press([20, 20]), press([40, 20]));
  expect(acts.map((act) => act.do === "brush" && act.done)).toEqual([false, false, false, true]);
  expect(acts[0]).toMatchObject({ do: "brush", dabs: [{ x: 20, y: 20, radius: 5 }], joining: "new" });
});

test("the tool that moves leaves the rest of the picture to panning", () => {
  expect(gestures.down(press([45, 45]), { ...SCENE, action: "move" })).toBe(false);
  expect(gestures.down(press([20, 20]), { ...SCENE, action: "move" })).toBe(true);
  expect(gestures.drop()).toBe(true);
  expect(gestures.drop()).toBe(false);
});
