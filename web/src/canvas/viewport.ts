/**
 * Where the picture lies on the screen: pure sums.
 *
 * Screen places are CSS pixels from the host's top left corner. The centre of the picture's first pixel is (0, 0),
 * so the picture spans -0.5 to width - 0.5.
 */

import type { XY } from "./model";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface View {
  /** Screen pixels per picture pixel. */
  readonly scale: number;
  /** Screen place of the picture's top left corner. */
  readonly x: number;
  readonly y: number;
}

export const MIN_SCALE = 0.05;
export const MAX_SCALE = 64;

/** Screen pixels of the picture that stay in sight whatever one does. */
const KEPT_IN_SIGHT = 96;

export function toScreen(view: View, [x, y]: XY): XY {
  return [view.x + (x + 0.5) * view.scale, view.y + (y + 0.5) * view.scale];
}

export function toPicture(view: View, [x, y]: XY): XY {
  return [(x - view.x) / view.scale - 0.5, (y - view.y) / view.scale - 0.5];
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}

export function distance(a: XY, b: XY): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

export function isInside([x, y]: XY, picture: Size): boolean {
  return x >= -0.5 && y >= -0.5 && x <= picture.width - 0.5 && y <= picture.height - 0.5;
}

/** The nearest place between the centres of the corner pixels, in hundredths of a pixel. */
export function clampInside([x, y]: XY, picture: Size): XY {
  return [hundredths(clamp(x, 0, picture.width - 1)), hundredths(clamp(y, 0, picture.height - 1))];
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

export function centred(picture: Size, box: Size, scale: number): View {
  return { scale, x: (box.width - picture.width * scale) / 2, y: (box.height - picture.height * scale) / 2 };
}

/** The whole picture with a margin around it. */
export function fitView(picture: Size, box: Size): View {
  const margin = Math.min(40, 0.04 * Math.min(box.width, box.height));
  const scale = Math.min(
    (box.width - 2 * margin) / picture.width,
    (box.height - 2 * margin) / picture.height,
  );
  return centred(picture, box, clamp(scale, MIN_SCALE, MAX_SCALE));
}

/** Zoom so that what is under `at` stays there. */
export function zoomAt(view: View, factor: number, at: XY): View {
  const scale = clamp(view.scale * factor, MIN_SCALE, MAX_SCALE);
  const grown = scale / view.scale;
  return { scale, x: at[0] - (at[0] - view.x) * grown, y: at[1] - (at[1] - view.y) * grown };
}

export function panBy(view: View, dx: number, dy: number): View {
  return { scale: view.scale, x: view.x + dx, y: view.y + dy };
}

/** Two fingers went from one pair of places to another: the picture follows them. */
export function pinch(view: View, from: readonly [XY, XY], to: readonly [XY, XY]): View {
  const before = middle(from);
  const after = middle(to);
  const factor = distance(...to) / Math.max(distance(...from), 1);
  return panBy(zoomAt(view, factor, before), after[0] - before[0], after[1] - before[1]);
}

function middle([a, b]: readonly [XY, XY]): XY {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

/** The host was resized: its middle shows what it showed. */
export function recentred(view: View, before: Size, after: Size): View {
  return panBy(view, (after.width - before.width) / 2, (after.height - before.height) / 2);
}

/** Some of the picture is always in sight. */
export function keepInSight(view: View, picture: Size, box: Size): View {
  return {
    scale: view.scale,
    x: keepAxis(view.x, picture.width * view.scale, box.width),
    y: keepAxis(view.y, picture.height * view.scale, box.height),
  };
}

function keepAxis(start: number, length: number, room: number): number {
  const kept = Math.min(KEPT_IN_SIGHT, length, room / 2);
  return clamp(start, kept - length, room - kept);
}

/** The picture's pixels that are in sight, whole ones. */
export interface Part {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export function partInSight(view: View, picture: Size, box: Size): Part {
  const x = clamp(Math.floor(-view.x / view.scale), 0, picture.width);
  const y = clamp(Math.floor(-view.y / view.scale), 0, picture.height);
  const right = clamp(Math.ceil((box.width - view.x) / view.scale), x, picture.width);
  const bottom = clamp(Math.ceil((box.height - view.y) / view.scale), y, picture.height);
  return { x, y, width: right - x, height: bottom - y };
}

/** The view moved by less than a device pixel, so that pixels at 100 % are sharp. */
export function onDevicePixels(view: View, ratio: number): View {
  return { scale: view.scale, x: Math.round(view.x * ratio) / ratio, y: Math.round(view.y * ratio) / ratio };
}
