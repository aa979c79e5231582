import { expect, test } from "vitest";
import { boxBetween, isWithin, movedBox } from "./crop-box";
import { type CropAction, CropGestures, type CropScene } from "./crop-gestures";
import type { Press } from "./gestures";
import type { CropShown, XY } from "./model";

const PHOTO = { width: 200, height: 100 };
const FACE: readonly XY[] = [
  [100, 10],
  [140, 10],
  [140, 50],
  [100, 50],
];

function scene(crop: Partial<CropShown> = {}): CropScene {
  return {
    view: { scale: 2, x: 10, y: 20 },
    picture: PHOTO,
    crop: { faces: [FACE], face: null, box: null, ...crop },
  };
}

/** A press at a place of the photo. */
function press(x: number, y: number): Press {
  return {
    at: [10 + 2 * x, 20 + 2 * y],
    pointer: "mouse",
    pressure: 0,
    second: false,
    shift: false,
    alt: false,
    time: 0,
  };
}

function does(way: readonly (readonly [number, number])[], crop: Partial<CropShown> = {}): CropAction[] {
  const done: CropAction[] = [];
  const gestures = new CropGestures((action) => done.push(action));
  const [first, ...others] = way.map(([x, y]) => press(x, y));
  const last = others.at(-1) ?? first;
  if (!first || !last || !gestures.down(first, scene(crop))) return done;
  for (const each of others) gestures.move([each], scene(crop));
  gestures.up(last, scene(crop));
  return done;
}

test("a click chooses the face under it, beside a face it does nothing", () => {
  expect(does([[120, 30]])).toEqual([{ do: "choose", face: 0 }]);
  expect(does([[20, 80]])).toEqual([]);
  expect(does([[-30, 30]])).toEqual([]);
});

test("a pull draws a square, in whichever direction, also over a face", () => {
  const drawn = (way: readonly (readonly [number, number])[]) =>
    does(way).map((each) => ("box" in each ? each.box : null));
  expect(
    drawn([
      [20, 10],
      [60, 40],
    ]),
  ).toEqual([[20, 10, 40, 40]]);
  expect(
    drawn([
      [110, 70],
      [70, 60],
    ]),
  ).toEqual([[70, 30, 40, 40]]);
  expect(
    drawn([
      [120, 30],
      [150, 60],
    ]),
  ).toEqual([[120, 30, 30, 30]]);
});

test("a box is moved by its inside and resized by its corners", () => {
  const box = [20, 20, 40, 40] as const;
  expect(
    does(
      [
        [40, 40],
        [50, 35],
      ],
      { box },
    ),
  ).toEqual([{ do: "box", box: [30, 15, 40, 40], label: "Move box" }]);
  expect(
    does(
      [
        [60, 60],
        [70, 65],
      ],
      { box },
    ),
  ).toEqual([{ do: "box", box: [20, 20, 50, 50], label: "Resize box" }]);
  expect(
    does(
      [
        [20, 20],
        [30, 30],
      ],
      { box },
    ),
  ).toEqual([{ do: "box", box: [30, 30, 30, 30], label: "Resize box" }]);
});

test("a click on a face chooses it though a box lies over it", () => {
  expect(does([[120, 30]], { box: [100, 0, 60, 60] })).toEqual([{ do: "choose", face: 0 }]);
});

test("what was begun can be given up", () => {
  const gestures = new CropGestures(() => expect.fail());
  gestures.down(press(20, 20), scene());
  gestures.move([press(60, 60)], scene());
  expect(gestures.box).toEqual([20, 20, 40, 40]);
  expect(gestures.drop()).toBe(true);
  expect(gestures.box).toBeNull();
  expect(gestures.drop()).toBe(false);
});

test("most of a box stays on the photo", () => {
  expect(movedBox([0, 0, 40, 40], -100, 300, PHOTO)).toEqual([-10, 70, 40, 40]);
  expect(boxBetween([100, 50], [1000, 1000], PHOTO)[2]).toBe(125);
  expect(boxBetween([50, 50], [51, 50], PHOTO)[2]).toBe(16);
});

test("within a turned face", () => {
  const diamond: readonly XY[] = [
    [10, 0],
    [20, 10],
    [10, 20],
    [0, 10],
  ];
  expect(isWithin([10, 10], diamond)).toBe(true);
  expect(isWithin([2, 2], diamond)).toBe(false);
});
