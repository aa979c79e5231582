import { expect, test } from "vitest";
import {
  clampInside,
  fitView,
  isInside,
  keepInSight,
  MAX_SCALE,
  MIN_SCALE,
  onDevicePixels,
  partInSight,
  pinch,
  recentred,
  toPicture,
  toScreen,
  zoomAt,
} from "./viewport";

const PICTURE = { width: 200, height: 100 };
const BOX = { width: 800, height: 600 };

test("the centre of the first pixel is (0, 0): half a pixel from the corner", () => {
  const view = { scale: 4, x: 10, y: 20 };
  expect(toScreen(view, [0, 0])).toEqual([12, 22]);
  expect(toPicture(view, [10, 20])).toEqual([-0.5, -0.5]);
  expect(toPicture(view, [10 + 4 * 200, 20 + 4 * 100])).toEqual([199.5, 99.5]);
});

test("there and back is the same place", () => {
  const view = { scale: 3.7, x: -41.2, y: 8.9 };
  const [x, y] = toPicture(view, toScreen(view, [12.25, 77.5]));
  expect(x).toBeCloseTo(12.25, 10);
  expect(y).toBeCloseTo(77.5, 10);
});

test("zooming keeps what is under the pointer", () => {
  const before = { scale: 2, x: 30, y: 40 };
  const place = toPicture(before, [300, 200]);
  const after = zoomAt(before, 1.9, [300, 200]);
  expect(after.scale).toBeCloseTo(3.8);
  const [x, y] = toScreen(after, place);
  expect(x).toBeCloseTo(300);
  expect(y).toBeCloseTo(200);
});

test("zoom ends at 5 % and 6400 %, and the picture does not wander there", () => {
  const far = zoomAt({ scale: 1, x: 0, y: 0 }, 1e-6, [50, 50]);
  expect(far.scale).toBe(MIN_SCALE);
  const near = zoomAt({ scale: 60, x: 0, y: 0 }, 100, [50, 50]);
  expect(near.scale).toBe(MAX_SCALE);
  expect(zoomAt(near, 2, [7, 7])).toEqual(near);
});

test("fit shows all of it in the middle with a margin", () => {
  const view = fitView(PICTURE, BOX);
  const margin = 24; // 4 % of 600
  expect(view.scale).toBeCloseTo((800 - 2 * margin) / 200);
  expect(view.x).toBeCloseTo(margin);
  expect(view.y).toBeCloseTo((600 - 100 * view.scale) / 2);
});

test("the picture cannot be pushed out of sight", () => {
  const away = keepInSight({ scale: 1, x: 5000, y: -5000 }, PICTURE, BOX);
  expect(away.x).toBe(800 - 96);
  expect(away.y).toBe(96 - 100);
  const tiny = keepInSight({ scale: 0.1, x: -900, y: 900 }, PICTURE, BOX);
  expect(tiny.x).toBe(0); // all 20 pixels of it stay
  expect(tiny.y).toBe(590);
});

test("where there is room nothing is held back", () => {
  const view = { scale: 2, x: 33, y: -44 };
  expect(keepInSight(view, PICTURE, BOX)).toEqual(view);
});

test("two fingers that spread zoom about their middle and carry it along", () => {
  const view = { scale: 1, x: 0, y: 0 };
  const after = pinch(
    view,
    [
      [100, 100],
      [200, 100],
    ],
    [
      [110, 150],
      [310, 150],
    ],
  );
  expect(after.scale).toBeCloseTo(2);
  expect(toScreen(after, toPicture(view, [150, 100]))).toEqual([210, 150]);
});

test("a resized host keeps its middle", () => {
  const view = { scale: 2, x: 10, y: 10 };
  const after = recentred(view, BOX, { width: 600, height: 700 });
  expect(toPicture(after, [300, 350])).toEqual(toPicture(view, [400, 300]));
});

test("points stay between the centres of the corner pixels", () => {
  expect(clampInside([-3, 250], PICTURE)).toEqual([0, 99]);
  expect(clampInside([12.3456, 7], PICTURE)).toEqual([12.35, 7]);
  expect(isInside([-0.5, 99.5], PICTURE)).toBe(true);
  expect(isInside([-0.6, 0], PICTURE)).toBe(false);
});

test("the part in sight is whole pixels that cover the host", () => {
  expect(partInSight({ scale: 16, x: -40, y: 100 }, PICTURE, BOX)).toEqual({
    x: 2,
    y: 0,
    width: 51,
    height: 32,
  });
  expect(partInSight({ scale: 1, x: 900, y: 0 }, PICTURE, BOX).width).toBe(0);
});

test("the drawn view lies on device pixels", () => {
  expect(onDevicePixels({ scale: 1, x: 10.3, y: 10.3 }, 2)).toEqual({ scale: 1, x: 10.5, y: 10.5 });
});
