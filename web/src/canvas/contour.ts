/** The outline of a region as paths, in tiles, so that a stroke traces anew only what it touched. */

import { traceOutline } from "./outline";
import type { Region } from "./region";
import type { Part } from "./viewport";

const TILE = 64;

export class Contour {
  private readonly tiles: Path2D[] = [];
  private readonly columns: number;
  private readonly rows: number;

  constructor(private readonly region: Region) {
    this.columns = Math.ceil(region.size.width / TILE);
    this.rows = Math.ceil(region.size.height / TILE);
    this.trace({ x: 0, y: 0, ...region.size });
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
    const width = Math.min(TILE + 1, this.region.size.width - x);
    const height = Math.min(TILE + 1, this.region.size.height - y);
    const { data } = this.region.context.getImageData(x, y, width, height);
    const pieces = traceOutline({
      width,
      height,
      at: (column, row) => data[(row * width + column) * 4 + 3] ?? 0,
    });
    const path = new Path2D();
    for (let index = 0; index < pieces.length; index += 4) {
      path.moveTo(x + (pieces[index] ?? 0), y + (pieces[index + 1] ?? 0));
      path.lineTo(x + (pieces[index + 2] ?? 0), y + (pieces[index + 3] ?? 0));
    }
    return path;
  }
}
