/**
 * The box that says which part of a photo a model should make: pure sums.
 *
 * A box is a square, because pictures of the models are; x and y are its left and top edge, measured from those of the photo.
 * A quarter of it may lie beyond an edge of the photo.
 */

import type { CropBox, XY } from "./model";
import { clamp, type Size } from "./viewport";

/** Side in pixels of the smallest box that is worth making. */
export const SMALLEST_BOX = 16;
const BEYOND = 0.25;

export type Corner = 0 | 1 | 2 | 3;

/** From the top left, clockwise; measured from the photo's top left edge. */
export function cornersOf([x, y, width, height]: CropBox): readonly [XY, XY, XY, XY] {
  return [
    [x, y],
    [x + width, y],
    [x + width, y + height],
    [x, y + height],
  ];
}

function largestSide(photo: Size): number {
  return Math.min(photo.width, photo.height) * (1 + BEYOND);
}

/** The square from an anchor towards a place, as large as the longer way. */
export function boxBetween(anchor: XY, place: XY, photo: Size): CropBox {
  const [dx, dy] = [place[0] - anchor[0], place[1] - anchor[1]];
  const side = clamp(Math.max(Math.abs(dx), Math.abs(dy)), SMALLEST_BOX, largestSide(photo));
  return keptInPhoto(
    [dx < 0 ? anchor[0] - side : anchor[0], dy < 0 ? anchor[1] - side : anchor[1], side, side],
    photo,
  );
}

export function movedBox([x, y, width, height]: CropBox, dx: number, dy: number, photo: Size): CropBox {
  return keptInPhoto([x + dx, y + dy, width, height], photo);
}

/** Whole pixels, with most of the box on the photo. */
function keptInPhoto([x, y, width, height]: CropBox, photo: Size): CropBox {
  return [
    Math.round(keptOnAxis(x, width, photo.width)),
    Math.round(keptOnAxis(y, height, photo.height)),
    Math.round(width),
    Math.round(height),
  ];
}

function keptOnAxis(start: number, length: number, room: number): number {
  const [low, high] = [-BEYOND * length, room - (1 - BEYOND) * length];
  return low > high ? (room - length) / 2 : clamp(start, low, high);
}

/** Whether a place lies in a polygon whose corners follow each other clockwise. */
export function isWithin(place: XY, corners: readonly XY[]): boolean {
  return corners.every((from, index) => {
    const to = corners[(index + 1) % corners.length] ?? from;
    return (to[0] - from[0]) * (place[1] - from[1]) >= (to[1] - from[1]) * (place[0] - from[0]);
  });
}
