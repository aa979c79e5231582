/** The crop over a photo: what the model will not make is dimmed, faces are outlined, a box has corners to pull. */

import { cornersOf } from "./crop-box";
import { BLUE, CASING, FONT, INK, TINT, TINT_ALPHA, WHITE } from "./look";
import type { CropBox, CropShown, XY } from "./model";
import type { Placement } from "./placement";
import { Sheet } from "./sheet";

const KNOB = 5;
const TAG = 10;
const DASH = [6, 4];

export class CropLayer {
  readonly sheet = new Sheet("crop");

  clear(ratio: number): void {
    this.sheet.begin(ratio);
  }

  /**
   * @param pulled the box as a gesture has it so far.
   */
  draw(placement: Placement, crop: CropShown | null, pulled: CropBox | null): void {
    const context = this.sheet.begin(placement.ratio);
    if (crop === null) return;
    const { view } = placement;
    const place = ([x, y]: XY): XY => [view.x + x * view.scale, view.y + y * view.scale];
    const faces = crop.faces.map((corners) => corners.map(place));
    const box = pulled ?? crop.box;
    const chosen = box === null ? faces[crop.face ?? -1] : cornersOf(box).map(place);
    if (chosen) dimAround(context, placement, chosen);
    for (const corners of faces) if (corners !== chosen) outline(context, corners, DASH);
    if (chosen) outline(context, chosen, []);
    if (faces.length > 1) {
      faces.forEach((corners, index) => {
        tag(context, corners, index + 1, corners === chosen);
      });
    }
    if (chosen && box !== null) for (const corner of chosen) knob(context, corner);
  }
}

function trace(context: CanvasRenderingContext2D, corners: readonly XY[]): void {
  for (const [index, [x, y]] of corners.entries()) {
    if (index === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  }
  context.closePath();
}

function dimAround(
  context: CanvasRenderingContext2D,
  { view, picture }: Placement,
  corners: readonly XY[],
): void {
  const [width, height] = [picture.width * view.scale, picture.height * view.scale];
  context.save();
  context.beginPath();
  context.rect(view.x, view.y, width, height);
  context.clip();
  context.beginPath();
  context.rect(view.x, view.y, width, height);
  trace(context, corners);
  context.globalAlpha = TINT_ALPHA;
  context.fillStyle = TINT;
  context.fill("evenodd");
  context.restore();
}

function outline(context: CanvasRenderingContext2D, corners: readonly XY[], dash: readonly number[]): void {
  context.beginPath();
  trace(context, corners);
  context.lineJoin = "round";
  context.setLineDash([]);
  context.strokeStyle = CASING;
  context.lineWidth = 4;
  context.stroke();
  context.setLineDash([...dash]);
  context.strokeStyle = WHITE;
  context.lineWidth = 1.75;
  context.stroke();
  context.setLineDash([]);
}

function disc(context: CanvasRenderingContext2D, [x, y]: XY, radius: number, colour: string): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
}

function knob(context: CanvasRenderingContext2D, corner: XY): void {
  disc(context, corner, KNOB + 1.5, CASING);
  disc(context, corner, KNOB, WHITE);
}

/** The number of a face, at its top left corner. */
function tag(
  context: CanvasRenderingContext2D,
  corners: readonly XY[],
  number: number,
  chosen: boolean,
): void {
  const [corner] = corners;
  if (corner === undefined) return;
  disc(context, corner, TAG + 1.5, CASING);
  disc(context, corner, TAG, chosen ? BLUE : WHITE);
  context.fillStyle = chosen ? WHITE : INK;
  context.font = `600 11px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(number), corner[0], corner[1] + 0.5);
}
