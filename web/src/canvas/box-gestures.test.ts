import { expect, test } from "vitest";
import { type BoxAction, BoxGestures, type BoxScene, boxGripAt } from "./box-gestures";
import type { Press } from "./gestures";
import type { BoxMark, CropBox } from "./model";

function mark(box: CropBox): BoxMark {
  return { box, number: 1, colour: "#c2362b", text: "" };
}

const BIG: CropBox = [20, 10, 100, 80];
const SMALL: CropBox = [40, 30, 20, 20];

function scene(part: Partial<BoxScene> = {}): BoxScene {
  return {
    view: { scale: 2, x: 10, y: 20 },
    picture: { width: 200, height: 100 },
    boxes: [mark(BIG), mark(SMALL)],
    selected: null,
    ...part,
  };
}

/** A press at a place of the picture, measured from its edge. */
function press(x: number, y: number): Press {
  const at = [10 + 2 * x, 20 + 2 * y] as const;
  return { at, pointer: "mouse", pressure: 0, second: false, shift: false, alt: false, time: 0 };
}

function does(way: readonly (readonly [number, number])[], part: Partial<BoxScene> = {}): BoxAction[] {
  const done: BoxAction[] = [];
  const gestures = new BoxGestures((action) => done.push(action));
  const [first, ...others] = way.map(([x, y]) => press(x, y));
  const last = others.at(-1) ?? first;
  if (!first || !last || !gestures.down(first, scene(part))) return done;
  for (const each of others) gestures.move([each], scene(part));
  gestures.up(last, scene(part));
  return done;
}

test("a pull beside all boxes draws a new one", () => {
  expect(
    does([
      [140, 20],
      [150, 30],
      [180, 60],
    ]),
  ).toEqual([{ do: "box", index: null, box: [140, 20, 40, 40] }]);
});

test("a click chooses the smallest box under it, beside them none", () => {
  expect(does([[50, 40]])).toEqual([{ do: "select", index: 1 }]);
  expect(does([[110, 80]])).toEqual([{ do: "select", index: 0 }]);
  expect(does([[150, 50]])).toEqual([{ do: "select", index: null }]);
});

test("the selected box is reached first, also through a smaller one", () => {
  expect(boxGripAt(scene({ selected: 0 }), press(50, 40))).toEqual({ kind: "inside", index: 0 });
});

test("a pull inside moves a box, at a knob it resizes it", () => {
  expect(
    does([
      [110, 80],
      [112, 82],
      [120, 75],
    ]),
  ).toEqual([
    { do: "select", index: 0 },
    { do: "box", index: 0, box: [30, 5, 100, 80] },
  ]);
  expect(
    does(
      [
        [60, 40],
        [65, 40],
        [80, 99],
      ],
      { selected: 1 },
    ),
  ).toEqual([
    { do: "select", index: 1 },
    { do: "box", index: 1, box: [40, 30, 40, 20] },
  ]);
});

test("a press that hardly moves is a click; one beside the picture is not taken", () => {
  expect(
    does([
      [110, 80],
      [110.5, 80],
    ]),
  ).toEqual([{ do: "select", index: 0 }]);
  expect(does([[-20, 50]])).toEqual([]);
});

test("a gesture shows the box as it will be, and can be given up", () => {
  const done: BoxAction[] = [];
  const gestures = new BoxGestures((action) => done.push(action));
  gestures.down(press(140, 20), scene());
  gestures.move([press(160, 50)], scene());
  expect(gestures.pulled).toMatchObject({ index: null, box: [140, 20, 20, 30] });
  expect(gestures.drop()).toBe(true);
  expect([gestures.pulled, gestures.drop(), done.length]).toEqual([null, false, 0]);
});
