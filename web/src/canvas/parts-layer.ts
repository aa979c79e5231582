/** The parts over the picture in their colours, with crisp lines between them; what was painted is stronger than the picture's own. */

import { traceBorders } from "./borders";
import { Contour, strokeLines } from "./contour";
import { CASING, SHARP_FROM, WHITE } from "./look";
import type { PartsShown } from "./model";
import { traceOutline } from "./outline";
import type { Placement } from "./placement";
import { hiddenCanvas, Sheet } from "./sheet";
import type { Part } from "./viewport";

/** Share of the opacity with which the picture's own parts are shown. */
const OWN = 0.55;
/** From this value on nothing is warmer; where parts meet, heads differ by a tenth of it anyway. */
const HOTTEST = 96;
/** Colour of an id that has no class. */
const UNKNOWN = [0, 0, 0] as const;
const BORDER = "rgba(255, 255, 255, 0.55)";
const BORDER_CASING = "rgba(10, 12, 16, 0.35)";

/** A map as it is drawn: its colours as pixels, the lines between its parts, the line around what was painted. */
interface Drawn {
  readonly shown: PartsShown;
  /** The painted ids, with the stroke that goes on. */
  readonly ids: Uint8Array;
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  readonly borders: Contour;
  readonly outline: Contour;
}

export class PartsLayer {
  readonly sheet = new Sheet("parts");
  private drawn: Drawn | null = null;
  private heat: { readonly of: Uint8Array; readonly canvas: HTMLCanvasElement } | null = null;

  show(shown: PartsShown | null, ids: Uint8Array | null): void {
    this.drawn = shown === null || ids === null ? null : drawnAnew(shown, ids);
  }

  /** Pixels of the map have changed. */
  changed(part: Part): void {
    if (this.drawn !== null && part.width * part.height > 0) {
      tint(this.drawn, part);
      this.drawn.borders.trace(part);
      this.drawn.outline.trace(part);
    }
  }

  /** While a run goes on only the outline of what was painted, so that one sees the picture follow. */
  draw(
    placement: Placement,
    style: "tinted" | "outline" | "hidden",
    opacity: number,
    unsure: Uint8Array | null,
  ): void {
    const context = this.sheet.begin(placement.ratio);
    const { drawn } = this;
    if (style === "hidden" || drawn === null || placement.part.width * placement.part.height === 0) {
      return;
    }
    if (style === "tinted") {
      if (unsure === null) {
        spread(context, placement, drawn.canvas, opacity, placement.view.scale < 1);
      } else {
        spread(context, placement, this.heatOf(unsure, drawn), 1, placement.view.scale < SHARP_FROM);
      }
      strokeLines(context, placement, [
        { contour: drawn.borders, colour: BORDER_CASING, width: 2 },
        { contour: drawn.borders, colour: BORDER, width: 0.75 },
      ]);
    }
    strokeLines(context, placement, [
      { contour: drawn.outline, colour: CASING, width: 3.5 },
      { contour: drawn.outline, colour: WHITE, width: 1.5 },
    ]);
  }

  clear(ratio: number): void {
    this.sheet.begin(ratio);
  }

  private heatOf(unsure: Uint8Array, { shown }: Drawn): HTMLCanvasElement {
    if (this.heat?.of !== unsure) {
      this.heat = { of: unsure, canvas: heated(unsure, shown) };
    }
    return this.heat.canvas;
  }
}

function drawnAnew(shown: PartsShown, ids: Uint8Array): Drawn {
  const { width } = shown;
  const cells = (part: Part, value: (index: number) => number) => ({
    width: part.width,
    height: part.height,
    at: (column: number, row: number) => value((part.y + row) * width + part.x + column),
  });
  const drawn = {
    shown,
    ids,
    ...hiddenCanvas(shown),
    borders: new Contour(shown, (part) => traceBorders(cells(part, (index) => ids[index] ?? 0))),
    outline: new Contour(shown, (part) =>
      traceOutline(cells(part, (index) => (ids[index] === shown.own[index] ? 0 : 255))),
    ),
  };
  tint(drawn, { x: 0, y: 0, width, height: shown.height });
  return drawn;
}

function tint({ shown, ids, context }: Drawn, part: Part): void {
  const pixels = context.createImageData(part.width, part.height);
  const { data } = pixels;
  let at = 0;
  for (let row = 0; row < part.height; row++) {
    for (let column = 0; column < part.width; column++) {
      const index = (part.y + row) * shown.width + part.x + column;
      const id = ids[index] ?? 0;
      const colour = shown.classes[id]?.colour ?? UNKNOWN;
      data[at++] = colour[0];
      data[at++] = colour[1];
      data[at++] = colour[2];
      data[at++] = id === shown.own[index] ? 255 * OWN : 255;
    }
  }
  context.putImageData(pixels, part.x, part.y);
}

/** Clear where the parts are sure, warm where they are not: amber, then red. */
function heated(unsure: Uint8Array, shown: PartsShown): HTMLCanvasElement {
  const { canvas, context } = hiddenCanvas(shown);
  const pixels = context.createImageData(shown.width, shown.height);
  unsure.forEach((value, index) => {
    const hot = Math.min(value / HOTTEST, 1);
    pixels.data.set([255, 180 - 140 * hot, 30, 235 * hot], index * 4);
  });
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function spread(
  context: CanvasRenderingContext2D,
  { view, part }: Placement,
  canvas: HTMLCanvasElement,
  opacity: number,
  smooth: boolean,
): void {
  context.imageSmoothingEnabled = smooth;
  context.globalAlpha = opacity;
  const { x, y, width, height } = part;
  const place = [view.x + x * view.scale, view.y + y * view.scale] as const;
  context.drawImage(canvas, x, y, width, height, ...place, width * view.scale, height * view.scale);
  context.globalAlpha = 1;
}
