/** The line around a region: marching squares with the crossing interpolated between pixel centres. */

/** Alpha values of a part of the picture, row by row. */
export interface Alphas {
  readonly width: number;
  readonly height: number;
  at(x: number, y: number): number;
}

export const LEVEL = 127.5;

/** Pieces of the line as x0, y0, x1, y1 in pixel centres of the part: (0, 0) is its first value. */
export function traceOutline(alphas: Alphas): number[] {
  const pieces: number[] = [];
  for (let y = 0; y + 1 < alphas.height; y++) {
    for (let x = 0; x + 1 < alphas.width; x++) {
      traceCell(alphas, x, y, pieces);
    }
  }
  return pieces;
}

function traceCell(alphas: Alphas, x: number, y: number, pieces: number[]): void {
  const topLeft = alphas.at(x, y);
  const topRight = alphas.at(x + 1, y);
  const bottomLeft = alphas.at(x, y + 1);
  const bottomRight = alphas.at(x + 1, y + 1);
  const corners =
    (topLeft > LEVEL ? 8 : 0) +
    (topRight > LEVEL ? 4 : 0) +
    (bottomRight > LEVEL ? 2 : 0) +
    (bottomLeft > LEVEL ? 1 : 0);
  if (corners === 0 || corners === 15) {
    return;
  }
  const top = () => pieces.push(x + crossing(topLeft, topRight), y);
  const right = () => pieces.push(x + 1, y + crossing(topRight, bottomRight));
  const bottom = () => pieces.push(x + crossing(bottomLeft, bottomRight), y + 1);
  const left = () => pieces.push(x, y + crossing(topLeft, bottomLeft));
  const sides = { top, right, bottom, left };
  for (const side of CROSSED[corners] ?? []) {
    sides[side]();
  }
}

type Side = "top" | "right" | "bottom" | "left";

/** Which sides the line joins, by the corners within: top left 8, top right 4, bottom right 2, bottom left 1. */
const CROSSED: Readonly<Record<number, readonly Side[]>> = {
  1: ["left", "bottom"],
  2: ["bottom", "right"],
  3: ["left", "right"],
  4: ["top", "right"],
  5: ["left", "top", "bottom", "right"],
  6: ["top", "bottom"],
  7: ["left", "top"],
  8: ["left", "top"],
  9: ["top", "bottom"],
  10: ["left", "bottom", "top", "right"],
  11: ["top", "right"],
  12: ["left", "right"],
  13: ["bottom", "right"],
  14: ["left", "bottom"],
};

function crossing(from: number, to: number): number {
  return (LEVEL - from) / (to - from);
}
