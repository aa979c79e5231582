/**
 * Where a thing of a picture goes: pure sums.
 *
 * A place p of the thing goes to pivot + shift + scale * turned(p - pivot), in pixels of the picture.
 */

import type { XY } from "./model";
import { clamp, distance, type Size } from "./viewport";

export interface Placing {
  readonly shift: XY;
  readonly scale: number;
  /** Degrees, clockwise as seen. */
  readonly turn: number;
}

/** Left, top, right and bottom pixel of a thing, all of them its own. */
export type Bounds = readonly [number, number, number, number];

export type Corner = 0 | 1 | 2 | 3;

export const STAYS: Placing = { shift: [0, 0], scale: 1, turn: 0 };
const SMALLEST = 0.05;
const LARGEST = 20;
/** Degrees between the turns that Shift allows. */
const NOTCH = 15;

export function isPlaced({ shift, scale, turn }: Placing): boolean {
  return shift[0] !== 0 || shift[1] !== 0 || scale !== 1 || turn !== 0;
}

export function middleOf([left, top, right, bottom]: Bounds): XY {
  return [(left + right) / 2, (top + bottom) / 2];
}

/** From the top left, clockwise; the box lies around the pixels, not through their centres. */
export function cornerOf([left, top, right, bottom]: Bounds, corner: Corner): XY {
  return [corner === 0 || corner === 3 ? left - 0.5 : right + 0.5, corner < 2 ? top - 0.5 : bottom + 0.5];
}

function turned([x, y]: XY, degrees: number): XY {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return [cos * x - sin * y, sin * x + cos * y];
}

export function placed(at: XY, pivot: XY, { shift, scale, turn }: Placing): XY {
  const [x, y] = turned([(at[0] - pivot[0]) * scale, (at[1] - pivot[1]) * scale], turn);
  return [pivot[0] + shift[0] + x, pivot[1] + shift[1] + y];
}

/** Where a place of the new picture comes from. */
export function unplaced(at: XY, pivot: XY, { shift, scale, turn }: Placing): XY {
  const [x, y] = turned([at[0] - pivot[0] - shift[0], at[1] - pivot[1] - shift[1]], -turn);
  return [pivot[0] + x / scale, pivot[1] + y / scale];
}

/** Its middle stays on the picture, in hundredths of a pixel; with `straight`, level with or above where it was. */
export function moved(start: Placing, by: XY, pivot: XY, picture: Size, straight = false): Placing {
  const across = Math.abs(by[0]) >= Math.abs(by[1]);
  const [dx, dy] = straight ? (across ? [by[0], 0] : [0, by[1]]) : by;
  const keep = (place: number, side: number, pivot: number) => hundredths(clamp(place, 0, side - 1) - pivot);
  const shift: XY = [
    keep(pivot[0] + start.shift[0] + dx, picture.width, pivot[0]),
    keep(pivot[1] + start.shift[1] + dy, picture.height, pivot[1]),
  ];
  return { ...start, shift };
}

/** A corner pulled to a place; the one across stays, or the middle. */
export function resized(
  start: Placing,
  bounds: Bounds,
  corner: Corner,
  place: XY,
  fromMiddle: boolean,
): Placing {
  const pivot = middleOf(bounds);
  const held = fromMiddle ? pivot : cornerOf(bounds, ((corner + 2) % 4) as Corner);
  const [from, anchor] = [placed(cornerOf(bounds, corner), pivot, start), placed(held, pivot, start)];
  const [reach, length] = [distance(from, anchor), (from[0] - anchor[0]) * (place[0] - anchor[0])];
  const along = (length + (from[1] - anchor[1]) * (place[1] - anchor[1])) / reach ** 2;
  const scale = clamp(hundredths(start.scale * along), SMALLEST, LARGEST);
  const [x, y] = placed(held, pivot, { ...start, scale });
  const shift: XY = [hundredths(start.shift[0] + anchor[0] - x), hundredths(start.shift[1] + anchor[1] - y)];
  return { ...start, shift, scale };
}

/** Turned about its middle as the hand went around it. */
export function turnedBy(start: Placing, pivot: XY, from: XY, to: XY, notched: boolean): Placing {
  const middle: XY = [pivot[0] + start.shift[0], pivot[1] + start.shift[1]];
  const angle = ([x, y]: XY) => (Math.atan2(y - middle[1], x - middle[0]) * 180) / Math.PI;
  const turn = start.turn + angle(to) - angle(from);
  const step = notched ? NOTCH : 0.1;
  return { ...start, turn: hundredths(halfTurn(Math.round(turn / step) * step)) };
}

/** The same turn from -180 to 180 degrees. */
function halfTurn(degrees: number): number {
  return degrees - 360 * Math.round(degrees / 360);
}

/** Where something that was copied is pasted: at its place where there is room, else in the middle, never too large. */
export function pastedAt(all: Bounds, from: Size, to: Size): { readonly by: XY; readonly scale: number } {
  const [left, top, right, bottom] = all;
  const room = 0.8;
  const scale = Math.min(1, (room * to.width) / (right - left + 1), (room * to.height) / (bottom - top + 1));
  if (scale === 1 && from.width === to.width && from.height === to.height) return { by: [0, 0], scale };
  const [x, y] = middleOf(all);
  return {
    by: [Math.round((to.width - 1) / 2 - x), Math.round((to.height - 1) / 2 - y)],
    scale: hundredths(scale),
  };
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100 || 0;
}
