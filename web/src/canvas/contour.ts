/** Lines over a picture as paths, in tiles, so that a stroke traces anew only what it touched. */

import type { Placement } from "./placement";
import type { Part, Size } from "./viewport";

const TILE = 64;

/** Pieces of lines as x0, y0, x1, y1 in pixel centres of a part of the picture: (0, 0) is its first pixel. */
export type Trace = (part: Part) => readonly number[];

export class Contour {
  private readonly tiles: Path2D[] = [];
  private readonly columns: number;
  private readonly rows: number;

  constructor(
    private readonly size: Size,
    private readonly pieces: Trace,
  ) {
    this.columns = Math.ceil(size.width / TILE);
    this.rows = Math.ceil(size.height / TILE);
    this.trace({ x: 0, y: 0, ...size });
  }

  /** Anew where pixels changed. */
  trace(part: Part): void {
    const last = (end: number, count: number) => Math.min(count - 1, Math.floor(end / TILE));
    const first = (start: number) => Math.max(0, Math.floor((start - 1) / TILE));
    for (let row = first(part.y); row <= last(part.y + part.height, this.rows); row++) {
      for (let column = first(part.x); column <= last(part.x + part.width, this.columns); column++) {
        this.tiles[row * this.columns + column] = this.traceTile(column * TILE, row * TILE);
      }
    }
  }

  /** Strokes it in the context's present coordinates, those of the picture with (0, 0) in the first pixel's centre. */
  stroke(context: CanvasRenderingContext2D): void {
    for (const tile of this.tiles) {
      context.stroke(tile);
    }
  }

  private traceTile(x: number, y: number): Path2D {
    const width = Math.min(TILE + 1, this.size.width - x);
    const height = Math.min(TILE + 1, this.size.height - y);
    const pieces = this.pieces({ x, y, width, height });
    const path = new Path2D();
    for (let index = 0; index < pieces.length; index += 4) {
      path.moveTo(x + (pieces[index] ?? 0), y + (pieces[index + 1] ?? 0));
      path.lineTo(x + (pieces[index + 2] ?? 0), y + (pieces[index + 3] ?? 0));
    }
    return path;
  }
}

export interface Line {
  readonly contour: Contour;
  readonly colour: string;
  /** Screen pixels. */
  readonly width: number;
}

/** Strokes lines over the picture wherever it lies. */
export function strokeLines(
  context: CanvasRenderingContext2D,
  { view }: Placement,
  lines: readonly Line[],
): void {
  context.save();
  context.translate(view.x, view.y);
  context.scale(view.scale, view.scale);
  context.translate(0.5, 0.5);
  context.lineCap = "round";
  for (const { contour, colour, width } of lines) {
    context.strokeStyle = colour;
    context.lineWidth = width / view.scale;
    contour.stroke(context);
  }
  context.restore();
}
