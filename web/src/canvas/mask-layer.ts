/** The mask over the picture: what must stay is dimmed and hatched, what may change is clear within a thin line. */

import type { Dab, Mark } from "./brush";
import { Contour, strokeLines } from "./contour";
import { CASING, HATCH, HATCH_STEP, SHARP_FROM, TINT_ALPHA, WHITE } from "./look";
import type { Placement } from "./placement";
import { paintDabs, type Region, touched } from "./region";
import { hiddenCanvas, Sheet } from "./sheet";

export class MaskLayer {
  readonly sheet = new Sheet("mask");
  private readonly hatch = hatchPattern(this.sheet.context);
  private region: Region | null = null;
  private contour: Contour | null = null;
  /** The region as the feather blurs it; the region's own canvas without one. */
  private softened: HTMLCanvasElement | null = null;

  show(region: Region | null, feather: number): void {
    this.region = region;
    this.contour = region === null ? null : new Contour(region.size, (part) => region.outline(part));
    this.soften(feather);
  }

  /** The feather anew, after a stroke that was painted without it. */
  soften(feather: number): void {
    const { region } = this;
    this.softened = region === null ? null : feather > 0 ? blurred(region, feather) : region.canvas;
  }

  /** A piece of a stroke that goes on; the feather follows when it ends. */
  paint(dabs: readonly Dab[], mark: Mark): void {
    if (this.region === null || this.contour === null || dabs.length === 0) {
      return;
    }
    paintDabs(this.region.context, dabs, mark);
    if (this.softened !== null && this.softened !== this.region.canvas) {
      const context = this.softened.getContext("2d");
      if (context !== null) {
        paintDabs(context, dabs, mark);
      }
    }
    this.contour.trace(touched(dabs, this.region.size));
  }

  /** While a run goes on only the outline, so that one sees the picture follow. */
  draw(placement: Placement, style: "tinted" | "outline" | "hidden"): void {
    const context = this.sheet.begin(placement.ratio);
    if (style === "hidden" || this.softened === null || placement.part.width * placement.part.height === 0) {
      return;
    }
    if (style === "tinted") {
      this.drawTint(context, placement, this.softened);
    }
    if (this.contour !== null) {
      strokeLines(context, placement, [
        { contour: this.contour, colour: CASING, width: 3 },
        { contour: this.contour, colour: WHITE, width: 1.25 },
      ]);
    }
  }

  clear(ratio: number): void {
    this.sheet.begin(ratio);
  }

  private drawTint(
    context: CanvasRenderingContext2D,
    { view, part }: Placement,
    softened: HTMLCanvasElement,
  ): void {
    const x = view.x + part.x * view.scale;
    const y = view.y + part.y * view.scale;
    const width = part.width * view.scale;
    const height = part.height * view.scale;
    context.imageSmoothingEnabled = view.scale < SHARP_FROM;
    context.globalAlpha = TINT_ALPHA;
    context.drawImage(softened, part.x, part.y, part.width, part.height, x, y, width, height);
    context.globalAlpha = 1;
    context.globalCompositeOperation = "source-atop";
    context.fillStyle = this.hatch;
    context.fillRect(x, y, width, height);
    context.globalCompositeOperation = "source-over";
  }
}

/** The picture's edge goes on beyond it, as where the mask is used. */
function blurred({ canvas, size }: Region, feather: number): HTMLCanvasElement {
  const pad = Math.ceil(3 * feather);
  const { width, height } = size;
  const padded = hiddenCanvas({ width: width + 2 * pad, height: height + 2 * pad });
  const columns = [
    [0, 1, 0, pad],
    [0, width, pad, width],
    [width - 1, 1, pad + width, pad],
  ] as const;
  const rows = [
    [0, 1, 0, pad],
    [0, height, pad, height],
    [height - 1, 1, pad + height, pad],
  ] as const;
  for (const [sx, sw, x, w] of columns) {
    for (const [sy, sh, y, h] of rows) {
      padded.context.drawImage(canvas, sx, sy, sw, sh, x, y, w, h);
    }
  }
  const soft = hiddenCanvas(size);
  soft.context.filter = `blur(${feather}px)`;
  soft.context.drawImage(padded.canvas, -pad, -pad);
  soft.context.filter = "none";
  return soft.canvas;
}

function hatchPattern(context: CanvasRenderingContext2D): CanvasPattern | string {
  const tile = hiddenCanvas({ width: HATCH_STEP, height: HATCH_STEP });
  tile.context.strokeStyle = HATCH;
  tile.context.lineWidth = 1.5;
  tile.context.beginPath();
  for (const shift of [-HATCH_STEP, 0, HATCH_STEP]) {
    tile.context.moveTo(shift - 1, HATCH_STEP + 1);
    tile.context.lineTo(shift + HATCH_STEP + 1, -1);
  }
  tile.context.stroke();
  return context.createPattern(tile.canvas, "repeat") ?? HATCH;
}
