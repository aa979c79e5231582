/** The picture, what it is compared with, and the grid. */

import { PIXEL_GRID_FROM, SHARP_FROM } from "./look";
import type { Comparison, Shown } from "./model";
import type { Placement } from "./placement";
import { Sheet } from "./sheet";

/** The picture's pixels are larger than the screen's. */
export function sharpens({ view, ratio, picture }: Placement, shown: Shown): boolean {
  return view.scale * ratio * picture.width > shown.width;
}

export class PictureLayer {
  readonly sheet = new Sheet("picture");
  /** Lies under the picture: its shadow, and a checkerboard where it is transparent. */
  readonly paper = document.createElement("div");

  constructor() {
    this.paper.className = "canvas-paper";
  }

  place({ view, picture }: Placement): void {
    const { style } = this.paper;
    style.transform = `translate(${view.x}px, ${view.y}px)`;
    style.width = `${picture.width * view.scale}px`;
    style.height = `${picture.height * view.scale}px`;
  }

  draw(
    placement: Placement,
    shown: Shown,
    comparison: Comparison | null,
    split: number,
    grid: boolean,
  ): void {
    const context = this.sheet.begin(placement.ratio);
    context.imageSmoothingEnabled = placement.view.scale < SHARP_FROM;
    if (comparison === null) {
      drawShown(context, placement, shown);
    } else if (comparison.style === "whole") {
      drawShown(context, placement, comparison.other);
    } else {
      drawShown(context, placement, shown);
      drawLeftPart(context, placement, comparison.other, split);
    }
    if (grid) {
      drawGrid(context, placement);
    }
  }

  clear(ratio: number): void {
    this.sheet.begin(ratio);
  }
}

/** Draws the part in sight; a picture of another size is stretched to this one's place. */
function drawShown(
  context: CanvasRenderingContext2D,
  { view, picture, part }: Placement,
  shown: Shown,
): void {
  if (part.width === 0 || part.height === 0) {
    return;
  }
  if (shown.image instanceof HTMLImageElement) {
    drawDrawing(context, { view, picture, part }, shown);
    return;
  }
  const across = shown.width / picture.width;
  const down = shown.height / picture.height;
  context.drawImage(
    shown.image,
    part.x * across,
    part.y * down,
    part.width * across,
    part.height * down,
    view.x + part.x * view.scale,
    view.y + part.y * view.scale,
    part.width * view.scale,
    part.height * view.scale,
  );
}

/** A drawing is laid out at the zoom, so that it has no pixels; what is transparent in it is white, as in its pixels. */
function drawDrawing(
  context: CanvasRenderingContext2D,
  { view, picture, part }: Pick<Placement, "view" | "picture" | "part">,
  { image }: Shown,
): void {
  context.save();
  context.beginPath();
  context.rect(
    view.x + part.x * view.scale,
    view.y + part.y * view.scale,
    part.width * view.scale,
    part.height * view.scale,
  );
  context.clip();
  context.fillStyle = "#ffffff";
  context.fillRect(view.x, view.y, picture.width * view.scale, picture.height * view.scale);
  context.drawImage(image, view.x, view.y, picture.width * view.scale, picture.height * view.scale);
  context.restore();
}

function drawLeftPart(
  context: CanvasRenderingContext2D,
  placement: Placement,
  other: Shown,
  split: number,
): void {
  const { view, picture } = placement;
  context.save();
  context.beginPath();
  context.rect(view.x, view.y, picture.width * view.scale * split, picture.height * view.scale);
  context.clip();
  context.clearRect(0, 0, placement.box.width, placement.box.height);
  drawShown(context, placement, other);
  context.restore();
}

function drawGrid(context: CanvasRenderingContext2D, placement: Placement): void {
  if (placement.view.scale >= PIXEL_GRID_FROM) {
    tracePixels(context, placement);
    strokeTwice(context, "rgba(0, 0, 0, 0.28)", "rgba(255, 255, 255, 0.16)", 1 / placement.ratio);
  } else {
    traceThirds(context, placement);
    strokeTwice(context, "rgba(0, 0, 0, 0.35)", "rgba(255, 255, 255, 0.75)", 1);
  }
}

function tracePixels(context: CanvasRenderingContext2D, { view, part }: Placement): void {
  const left = view.x + part.x * view.scale;
  const top = view.y + part.y * view.scale;
  context.beginPath();
  for (let column = 1; column < part.width; column++) {
    context.moveTo(left + column * view.scale, top);
    context.lineTo(left + column * view.scale, top + part.height * view.scale);
  }
  for (let row = 1; row < part.height; row++) {
    context.moveTo(left, top + row * view.scale);
    context.lineTo(left + part.width * view.scale, top + row * view.scale);
  }
}

function traceThirds(context: CanvasRenderingContext2D, { view, picture }: Placement): void {
  const width = picture.width * view.scale;
  const height = picture.height * view.scale;
  context.beginPath();
  for (const third of [1 / 3, 2 / 3]) {
    const x = Math.round(view.x + width * third) + 0.5;
    const y = Math.round(view.y + height * third) + 0.5;
    context.moveTo(x, view.y);
    context.lineTo(x, view.y + height);
    context.moveTo(view.x, y);
    context.lineTo(view.x + width, y);
  }
}

/** A light line on a dark one, a pixel apart, is seen on any picture. */
function strokeTwice(context: CanvasRenderingContext2D, dark: string, light: string, width: number): void {
  context.lineWidth = width;
  context.strokeStyle = light;
  context.stroke();
  context.translate(width, width);
  context.strokeStyle = dark;
  context.stroke();
  context.translate(-width, -width);
}
