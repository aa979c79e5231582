import { expect, test } from "vitest";
import { wheelMeaning, zoomFactor } from "./wheel";

const TURN = { deltaX: 0, deltaY: 0, deltaMode: 0, ctrlKey: false };

test("mouse wheels zoom, in whatever unit the browser tells them", () => {
  expect(wheelMeaning({ ...TURN, deltaY: 100, wheelDeltaY: -120 })).toBe("zoom");
  expect(wheelMeaning({ ...TURN, deltaY: -4.000244140625, wheelDeltaY: 120 })).toBe("zoom");
  expect(wheelMeaning({ ...TURN, deltaY: 3, deltaMode: 1 })).toBe("zoom");
});

test("two fingers on a trackpad pan", () => {
  expect(wheelMeaning({ ...TURN, deltaY: 2, wheelDeltaY: -6 })).toBe("pan");
  expect(wheelMeaning({ ...TURN, deltaX: 1, deltaY: 60 })).toBe("pan");
  expect(wheelMeaning({ ...TURN, deltaY: 12.5 })).toBe("pan");
});

test("a pinch on a trackpad, which comes with Ctrl, zooms", () => {
  expect(wheelMeaning({ ...TURN, deltaY: 1.5, ctrlKey: true })).toBe("zoom");
});

test("a turn back undoes a turn", () => {
  const out = zoomFactor({ ...TURN, deltaY: 100 });
  expect(out).toBeLessThan(1);
  expect(out * zoomFactor({ ...TURN, deltaY: -100 })).toBeCloseTo(1);
});
