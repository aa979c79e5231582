/** What was selected of a picture, at its own resolution: the alpha of a canvas. */

import type { Dab, Mark } from "./brush";
import { Contour } from "./contour";
import { BLUE } from "./look";
import type { XY } from "./model";
import { traceOutline } from "./outline";
import { type Bounds, middleOf } from "./placing";
import { paintDabs } from "./region";
import { hiddenCanvas } from "./sheet";
import type { Size } from "./viewport";

const SEEN = 127;

export class Selection {
  readonly canvas: HTMLCanvasElement;
  private readonly context: CanvasRenderingContext2D;
  private found: Bounds | null | undefined;
  private traced: Contour | null = null;

  constructor(readonly size: Size) {
    ({ canvas: this.canvas, context: this.context } = hiddenCanvas(size, { willReadFrequently: true }));
    this.context.fillStyle = BLUE;
  }

  /** From a grey picture, white = selected. */
  static read(image: CanvasImageSource, size: Size): Selection {
    const made = new Selection(size);
    const { context } = made;
    context.drawImage(image, 0, 0, size.width, size.height);
    const pixels = context.getImageData(0, 0, size.width, size.height);
    for (let index = 0; index < pixels.data.length; index += 4) {
      pixels.data[index + 3] = pixels.data[index] ?? 0;
    }
    context.putImageData(pixels, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillRect(0, 0, size.width, size.height);
    context.globalCompositeOperation = "source-over";
    return made;
  }

  /** The inside of a line, in pixels of the picture. */
  static within(line: readonly XY[], size: Size): Selection {
    const made = new Selection(size);
    const { context } = made;
    context.beginPath();
    for (const [x, y] of line) context.lineTo(x + 0.5, y + 0.5);
    context.fill();
    return made;
  }

  /** This with another one, or without it. */
  with(other: Selection | null, mark: "add" | "subtract" = "add"): Selection {
    const made = new Selection(this.size);
    made.context.drawImage(this.canvas, 0, 0);
    made.context.globalCompositeOperation = mark === "add" ? "source-over" : "destination-out";
    if (other) made.context.drawImage(other.canvas, 0, 0);
    made.context.globalCompositeOperation = "source-over";
    return made;
  }

  /** A piece of a stroke. */
  paint(dabs: readonly Dab[], mark: Mark): void {
    paintDabs(this.context, dabs, mark === "change" ? "stay" : "change");
    this.found = undefined;
    this.traced = null;
  }

  /** Its alpha, row by row. */
  values(): Uint8Array {
    const { data } = this.context.getImageData(0, 0, this.size.width, this.size.height);
    const values = new Uint8Array(data.length / 4);
    for (let index = 0; index < values.length; index++) values[index] = data[index * 4 + 3] ?? 0;
    return values;
  }

  /** Null where nothing is selected. */
  get bounds(): Bounds | null {
    this.found ??= boundsOf(this.values(), this.size.width);
    return this.found;
  }

  get middle(): XY {
    return this.bounds ? middleOf(this.bounds) : [0, 0];
  }

  has([x, y]: XY): boolean {
    const alpha = this.context.getImageData(Math.round(x), Math.round(y), 1, 1).data[3] ?? 0;
    return alpha > SEEN;
  }

  /** The line around it; in pixel centres, from its top left corner less one. */
  get contour(): Contour {
    const [left, top, right, bottom] = this.bounds ?? [0, 0, 0, 0];
    const size = { width: right - left + 3, height: bottom - top + 3 };
    this.traced ??= new Contour(size, ({ x, y, width, height }) => {
      const { data } = this.context.getImageData(left - 1 + x, top - 1 + y, width, height);
      return traceOutline({ width, height, at: (column, row) => data[(row * width + column) * 4 + 3] ?? 0 });
    });
    return this.traced;
  }

  /** What of a picture lies in it, from its top left corner. */
  cutOut(picture: CanvasImageSource): HTMLCanvasElement {
    const [left, top, right, bottom] = this.bounds ?? [0, 0, 0, 0];
    const { canvas, context } = hiddenCanvas({ width: right - left + 1, height: bottom - top + 1 });
    context.drawImage(this.canvas, -left, -top);
    context.globalCompositeOperation = "source-in";
    context.drawImage(picture, -left, -top, this.size.width, this.size.height);
    return canvas;
  }
}

function boundsOf(values: Uint8Array, width: number): Bounds | null {
  let [left, top, right, bottom] = [width, -1, -1, -1];
  for (let index = 0; index < values.length; index++) {
    if ((values[index] ?? 0) <= SEEN) continue;
    const x = index % width;
    bottom = (index - x) / width;
    if (top < 0) top = bottom;
    left = Math.min(left, x);
    right = Math.max(right, x);
  }
  return bottom < 0 ? null : [left, top, right, bottom];
}
