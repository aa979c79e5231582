/** Part maps, pixel by pixel: strokes with hard edges, fills and counts. A map is a row of ids, the picture's rows one after the other. */

import type { Dab } from "./brush";
import { clamp, type Size } from "./viewport";

/** What pixels become: one part, or those of another map. */
export type Ids = number | Uint8Array;

/** Paints a row of dabs into the map: each pixel whose centre lies within the stroke, and none by halves. */
export function paintIds(map: Uint8Array, size: Size, dabs: readonly Dab[], ids: Ids): void {
  dabs.forEach((dab, index) => {
    const from = dabs[index - 1];
    if (from !== undefined) paintCapsule(map, size, from, dab, ids);
    else if (dabs.length === 1) paintCapsule(map, size, dab, dab, ids);
  });
}

/** All pixels as near to a line as its radius; a stroke thinner than a pixel still leaves one. */
function paintCapsule(map: Uint8Array, size: Size, from: Dab, to: Dab, ids: Ids): void {
  const radius = Math.max((from.radius + to.radius) / 2, 0.71);
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const left = clamp(Math.ceil(Math.min(from.x, to.x) - radius), 0, size.width);
  const right = clamp(Math.floor(Math.max(from.x, to.x) + radius), -1, size.width - 1);
  const top = clamp(Math.ceil(Math.min(from.y, to.y) - radius), 0, size.height);
  const bottom = clamp(Math.floor(Math.max(from.y, to.y) + radius), -1, size.height - 1);
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const along = length === 0 ? 0 : clamp(((x - from.x) * dx + (y - from.y) * dy) / length, 0, 1);
      const [aside, above] = [x - from.x - along * dx, y - from.y - along * dy];
      const index = y * size.width + x;
      if (aside * aside + above * above <= radius * radius) map[index] = idAt(ids, index);
    }
  }
}

function idAt(ids: Ids, index: number): number {
  return typeof ids === "number" ? ids : (ids[index] ?? 0);
}

/** The map with the connected region of one part around a pixel made another. */
export function filledAt(map: Uint8Array, size: Size, x: number, y: number, id: number): Uint8Array {
  const filled = map.slice();
  const start = y * size.width + x;
  const from = map[start];
  if (from === id) return filled;
  const waiting = [start];
  filled[start] = id;
  const visit = (index: number) => {
    if (filled[index] === from) {
      filled[index] = id;
      waiting.push(index);
    }
  };
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    const column = index % size.width;
    if (column > 0) visit(index - 1);
    if (column < size.width - 1) visit(index + 1);
    visit(index - size.width);
    visit(index + size.width);
  }
  return filled;
}

/** The map with all pixels of one part made another. */
export function replaced(map: Uint8Array, from: number, to: number): Uint8Array {
  return map.map((id) => (id === from ? to : id));
}

export function sameIds(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((id, index) => id === right[index]);
}

/** Share of the pixels that each id has, 0 to 1. */
export function shares(map: Uint8Array, count: number): readonly number[] {
  const found = new Array<number>(count).fill(0);
  for (const id of map) if (id < count) found[id] = (found[id] ?? 0) + 1;
  return found.map((each) => each / Math.max(map.length, 1));
}
