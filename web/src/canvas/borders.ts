/** The lines between parts: through the middles between pixels of different ids, so that they are crisp at any zoom. */

/** Ids of a part of the picture. */
export interface Cells {
  readonly width: number;
  readonly height: number;
  at(x: number, y: number): number;
}

/** Pieces of the lines as x0, y0, x1, y1 in pixel centres: (0, 0) is the first cell. */
export function traceBorders(cells: Cells): number[] {
  const pieces: number[] = [];
  for (let y = 0; y + 1 < cells.height; y++) {
    for (let x = 0; x + 1 < cells.width; x++) {
      traceCorner(cells, x, y, pieces);
    }
  }
  return pieces;
}

/** Where four pixels meet: a line across joins two crossings; three or four meet in the middle. */
function traceCorner(cells: Cells, x: number, y: number, pieces: number[]): void {
  const topLeft = cells.at(x, y);
  const topRight = cells.at(x + 1, y);
  const bottomLeft = cells.at(x, y + 1);
  const bottomRight = cells.at(x + 1, y + 1);
  const crossings: number[] = [];
  if (topLeft !== topRight) crossings.push(x + 0.5, y);
  if (topRight !== bottomRight) crossings.push(x + 1, y + 0.5);
  if (bottomLeft !== bottomRight) crossings.push(x + 0.5, y + 1);
  if (topLeft !== bottomLeft) crossings.push(x, y + 0.5);
  if (crossings.length === 4) {
    pieces.push(...crossings);
    return;
  }
  for (let index = 0; index < crossings.length; index += 2) {
    pieces.push(crossings[index] ?? x, crossings[index + 1] ?? y, x + 0.5, y + 0.5);
  }
}
