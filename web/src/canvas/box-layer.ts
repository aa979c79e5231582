/** Boxes over the picture, each in its colour with its number; the selected one has knobs to pull. */

import type { PulledBox } from "./box-gestures";
import { knobOf, PULLS } from "./free-box";
import { CASING, FONT, WHITE } from "./look";
import type { BoxMark, CropBox, XY } from "./model";
import type { Placement } from "./placement";
import { Sheet } from "./sheet";
import type { View } from "./viewport";

const KNOB = 4.5;
const TAG = 20;
const PULLED_FILL = 0.14;

export interface BoxesNow {
  readonly boxes: readonly BoxMark[];
  readonly selected: number | null;
  readonly pulled: PulledBox | null;
  /** Colour of one that is being drawn. */
  readonly nextColour: string;
  readonly editable: boolean;
}

export class BoxLayer {
  readonly sheet = new Sheet("boxes");

  clear(ratio: number): void {
    this.sheet.begin(ratio);
  }

  draw({ view, ratio }: Placement, now: BoxesNow | null): void {
    const context = this.sheet.begin(ratio);
    if (now === null) return;
    const { boxes, selected, pulled, editable } = now;
    for (const [index, mark] of boxes.entries()) {
      const box = pulled?.index === index ? pulled.box : mark.box;
      const chosen = editable && index === selected;
      frame(context, view, box, mark.colour, pulled?.index === index);
      tag(context, view, box, mark);
      if (chosen) for (const pull of PULLS) knob(context, onScreen(view, knobOf(box, pull)), mark.colour);
    }
    if (pulled?.index === null) frame(context, view, pulled.box, now.nextColour, true);
  }
}

function onScreen(view: View, [x, y]: XY): XY {
  return [view.x + x * view.scale, view.y + y * view.scale];
}

function frame(
  context: CanvasRenderingContext2D,
  view: View,
  box: CropBox,
  colour: string,
  pulled: boolean,
): void {
  const [x, y] = onScreen(view, [box[0], box[1]]);
  const [width, height] = [box[2] * view.scale, box[3] * view.scale];
  if (pulled) {
    context.globalAlpha = PULLED_FILL;
    context.fillStyle = colour;
    context.fillRect(x, y, width, height);
    context.globalAlpha = 1;
  }
  context.lineJoin = "round";
  for (const [style, line] of [
    [CASING, 4.5],
    [WHITE, 3.5],
    [colour, 2],
  ] as const) {
    context.strokeStyle = style;
    context.lineWidth = line;
    context.strokeRect(x, y, width, height);
  }
}

/** Number and first words, at the top left corner. */
function tag(context: CanvasRenderingContext2D, view: View, box: CropBox, mark: BoxMark): void {
  const [x, y] = onScreen(view, [box[0], box[1]]);
  const room = Math.max(box[2] * view.scale, TAG);
  context.font = `600 12px ${FONT}`;
  context.textBaseline = "middle";
  context.textAlign = "left";
  const text = fitting(context, mark.text ? `${mark.number}  ${mark.text}` : String(mark.number), room - 12);
  const width = Math.min(Math.max(context.measureText(text).width + 12, TAG), room);
  context.fillStyle = mark.colour;
  context.fillRect(x - 1, y - 1, width, TAG);
  context.fillStyle = WHITE;
  context.fillText(text, x + 5, y - 1 + TAG / 2 + 0.5);
}

function fitting(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) return text;
  let kept = text;
  while (kept.length > 1 && context.measureText(`${kept}…`).width > room) kept = kept.slice(0, -1).trimEnd();
  return kept.length > 3 ? `${kept}…` : (text.split(" ")[0] ?? "");
}

function knob(context: CanvasRenderingContext2D, [x, y]: XY, colour: string): void {
  context.fillStyle = WHITE;
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  context.rect(x - KNOB, y - KNOB, 2 * KNOB, 2 * KNOB);
  context.fill();
  context.stroke();
}
