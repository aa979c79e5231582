/** A canvas as large as the host, in device pixels. */

import type { Size } from "./viewport";

export class Sheet {
  readonly element = document.createElement("canvas");
  readonly context: CanvasRenderingContext2D;

  constructor(name: string) {
    this.element.className = `canvas-sheet canvas-${name}`;
    this.context = context2d(this.element);
  }

  resize(box: Size, ratio: number): void {
    this.element.width = Math.max(1, Math.round(box.width * ratio));
    this.element.height = Math.max(1, Math.round(box.height * ratio));
  }

  /** Empties it and lets one draw in CSS pixels. */
  begin(ratio: number): CanvasRenderingContext2D {
    const { context } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.element.width, this.element.height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    return context;
  }
}

export function context2d(
  canvas: HTMLCanvasElement,
  settings?: CanvasRenderingContext2DSettings,
): CanvasRenderingContext2D {
  const context = canvas.getContext("2d", settings);
  if (context === null) {
    throw new Error("This browser gives no 2D canvas.");
  }
  return context;
}

/** A canvas that is never shown. */
export function hiddenCanvas({ width, height }: Size, settings?: CanvasRenderingContext2DSettings) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return { canvas, context: context2d(canvas, settings) };
}
