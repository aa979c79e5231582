/**
 * Boxes of any shape on a picture: pure sums.
 *
 * A box is left, top, width and height, measured from the picture's top left edge; it lies on the picture, in whole pixels.
 */

import type { CropBox, XY } from "./model";
import { clamp, type Size } from "./viewport";

/** Pixels of the picture; smaller ones are not meant. */
export const SMALLEST_SIDE = 8;

/** Which edges are pulled: -1 left or top, 1 right or bottom, 0 neither. */
export type Pull = readonly [-1 | 0 | 1, -1 | 0 | 1];

/** From the top left, clockwise. */
export const PULLS: readonly Pull[] = [
  [-1, -1],
  [0, -1],
  [1, -1],
  [1, 0],
  [1, 1],
  [0, 1],
  [-1, 1],
  [-1, 0],
];

/** Where the knob of a pull is. */
export function knobOf([x, y, width, height]: CropBox, [across, down]: Pull): XY {
  return [x + (width * (across + 1)) / 2, y + (height * (down + 1)) / 2];
}

export function freeBoxBetween(anchor: XY, place: XY, picture: Size): CropBox {
  const [x, width] = span(anchor[0], place[0], picture.width);
  const [y, height] = span(anchor[1], place[1], picture.height);
  return [x, y, width, height];
}

/** Start and length of what lies between two places, at least as long as a box must be. */
function span(from: number, to: number, room: number): readonly [number, number] {
  const least = Math.min(SMALLEST_SIDE, room);
  const [a, b] = [clamp(Math.round(from), 0, room), clamp(Math.round(to), 0, room)];
  const length = Math.max(Math.abs(b - a), least);
  return [clamp(b < a ? a - length : a, 0, room - length), length];
}

/** The box with the pulled edges at a place. */
export function pulledBox(box: CropBox, pull: Pull, place: XY, picture: Size): CropBox {
  const [x, y, width, height] = box;
  const [left, right] = ends(x, width, pull[0], place[0]);
  const [top, bottom] = ends(y, height, pull[1], place[1]);
  return freeBoxBetween([left, top], [right, bottom], picture);
}

/** The end that stays, and the one that is pulled. */
function ends(start: number, length: number, pull: number, place: number): readonly [number, number] {
  if (pull === 0) return [start, start + length];
  return pull < 0 ? [start + length, place] : [start, place];
}

export function movedFreeBox([x, y, width, height]: CropBox, dx: number, dy: number, picture: Size): CropBox {
  return [
    clamp(Math.round(x + dx), 0, Math.max(picture.width - width, 0)),
    clamp(Math.round(y + dy), 0, Math.max(picture.height - height, 0)),
    width,
    height,
  ];
}

/** Right and bottom edge further out or in. */
export function grownBox(box: CropBox, dx: number, dy: number, picture: Size): CropBox {
  const [x, y, width, height] = box;
  const place: XY = [
    Math.max(x + width + dx, x + SMALLEST_SIDE),
    Math.max(y + height + dy, y + SMALLEST_SIDE),
  ];
  return pulledBox(box, [1, 1], place, picture);
}

export function contains([x, y, width, height]: CropBox, [px, py]: XY): boolean {
  return px >= x && py >= y && px <= x + width && py <= y + height;
}

/** A box in the middle, of half the picture's sides. */
export function middleBox({ width, height }: Size): CropBox {
  return freeBoxBetween([width / 4, height / 4], [(3 * width) / 4, (3 * height) / 4], { width, height });
}
