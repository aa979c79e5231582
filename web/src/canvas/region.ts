/** Where the picture must stay, at its own resolution: the alpha of a canvas in the tint's colour. */

import type { Dab, Mark } from "./brush";
import { TINT } from "./look";
import { traceOutline } from "./outline";
import { hiddenCanvas } from "./sheet";
import type { Part, Size } from "./viewport";

export class Region {
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;

  constructor(readonly size: Size) {
    ({ canvas: this.canvas, context: this.context } = hiddenCanvas(size, { willReadFrequently: true }));
    this.context.fillStyle = TINT;
  }

  static allOf(size: Size, mark: Mark): Region {
    const region = new Region(size);
    if (mark === "stay") {
      region.context.fillRect(0, 0, size.width, size.height);
    }
    return region;
  }

  /** From a grey picture, white = may change. */
  static read(image: CanvasImageSource, size: Size): Region {
    const region = new Region(size);
    const { context } = region;
    context.drawImage(image, 0, 0, size.width, size.height);
    const pixels = context.getImageData(0, 0, size.width, size.height);
    for (let index = 0; index < pixels.data.length; index += 4) {
      pixels.data[index + 3] = 255 - (pixels.data[index] ?? 0);
    }
    context.putImageData(pixels, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillRect(0, 0, size.width, size.height);
    context.globalCompositeOperation = "source-over";
    return region;
  }

  copy(): Region {
    const region = new Region(this.size);
    region.context.drawImage(this.canvas, 0, 0);
    return region;
  }

  invert(): void {
    const { context, size } = this;
    context.globalCompositeOperation = "source-out";
    context.fillRect(0, 0, size.width, size.height);
    context.globalCompositeOperation = "source-over";
  }

  /** The line around what must stay, in pixel centres of a part of the picture. */
  outline({ x, y, width, height }: Part): readonly number[] {
    const { data } = this.context.getImageData(x, y, width, height);
    return traceOutline({
      width,
      height,
      at: (column, row) => data[(row * width + column) * 4 + 3] ?? 0,
    });
  }

  /** A grey picture, white = may change; made at once, so that a run that is started next knows of it. */
  png(): Blob {
    const { canvas, context } = hiddenCanvas(this.size, { willReadFrequently: true });
    context.drawImage(this.canvas, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = "#000000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    const base64 = canvas.toDataURL("image/png").replace(/^[^,]*,/, "");
    return new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type: "image/png" });
  }
}

/** Paints a row of dabs; what must stay adds to the alpha, what may change takes it away. */
export function paintDabs(context: CanvasRenderingContext2D, dabs: readonly Dab[], mark: Mark): void {
  context.save();
  context.globalCompositeOperation = mark === "stay" ? "source-over" : "destination-out";
  context.lineCap = "round";
  context.strokeStyle = TINT;
  context.fillStyle = TINT;
  context.translate(0.5, 0.5);
  const [first] = dabs;
  if (first !== undefined) {
    context.beginPath();
    context.arc(first.x, first.y, first.radius, 0, 2 * Math.PI);
    context.fill();
  }
  dabs.slice(1).forEach((dab, index) => {
    const from = dabs[index] ?? dab;
    context.lineWidth = from.radius + dab.radius;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(dab.x, dab.y);
    context.stroke();
  });
  context.restore();
}

/** The pixels that dabs may have touched. */
export function touched(dabs: readonly Dab[], size: Size): Part {
  const x = Math.max(0, Math.floor(Math.min(...dabs.map((dab) => dab.x - dab.radius)) - 2));
  const y = Math.max(0, Math.floor(Math.min(...dabs.map((dab) => dab.y - dab.radius)) - 2));
  const right = Math.min(size.width, Math.ceil(Math.max(...dabs.map((dab) => dab.x + dab.radius)) + 3));
  const bottom = Math.min(size.height, Math.ceil(Math.max(...dabs.map((dab) => dab.y + dab.radius)) + 3));
  return { x, y, width: Math.max(0, right - x), height: Math.max(0, bottom - y) };
}
