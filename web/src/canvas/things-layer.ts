/** Things over the picture: outlines, ghosts where they come from, and, while they move, the things themselves. */

import { BLUE, CASING, WHITE } from "./look";
import type { Shown, ThingMark, ThingsShown, XY } from "./model";
import type { Placement } from "./placement";
import { type Corner, cornerOf, isPlaced, type Placing, placed, STAYS } from "./placing";
import type { Selection } from "./selection";
import { Sheet } from "./sheet";
import { type Pulled, turnKnob } from "./things-gestures";
import { toScreen, type View } from "./viewport";

const KNOB = 4.5;
const GHOST = 0.35;
const GHOST_LINE = "rgba(255, 255, 255, 0.6)";
const PAINT = 0.45;

export interface ThingsNow extends ThingsShown {
  readonly selected: number | null;
  readonly pulled: Pulled | null;
  readonly line: readonly XY[];
  readonly painted: Selection | null;
  readonly editable: boolean;
}

export class ThingsLayer {
  readonly sheet = new Sheet("things");
  private readonly cuts = new WeakMap<
    Selection,
    { readonly of: Shown; readonly canvas: HTMLCanvasElement }
  >();

  draw({ view, picture, ratio }: Placement, now: ThingsNow | null): void {
    const context = this.sheet.begin(ratio);
    if (now === null) return;
    const things = now.all.map((mark, index) =>
      now.pulled?.index === index ? { ...mark, placing: now.pulled.placing } : mark,
    );
    const { source, behind } = now;
    if (
      (now.stale || now.pulled) &&
      source &&
      things.some(({ placing }) => now.foreign || isPlaced(placing))
    ) {
      const place = [view.x, view.y, picture.width * view.scale, picture.height * view.scale] as const;
      context.beginPath();
      context.rect(...place);
      context.save();
      context.clip();
      if (behind) context.drawImage(behind.image, ...place);
      if (now.pulled && !now.foreign)
        for (const mark of things) this.lay(context, view, { ...mark, placing: STAYS }, source, GHOST);
      for (const mark of things) this.lay(context, view, mark, source, 1);
      context.restore();
    }
    for (const [index, { selection, placing }] of things.entries()) {
      const chosen = now.editable && index === now.selected;
      if (isPlaced(placing) && !now.foreign) outline(context, view, selection, STAYS, GHOST_LINE, 1);
      outline(context, view, selection, placing, chosen ? BLUE : WHITE, 1.75);
    }
    const chosen = now.editable ? things[now.selected ?? -1] : undefined;
    if (chosen && now.movable) frame(context, view, chosen);
    if (now.painted) {
      context.globalAlpha = PAINT;
      context.drawImage(
        now.painted.canvas,
        view.x,
        view.y,
        picture.width * view.scale,
        picture.height * view.scale,
      );
      context.globalAlpha = 1;
    }
    trace(
      context,
      now.line.map((place) => toScreen(view, place)),
    );
  }

  clear(ratio: number): void {
    this.sheet.begin(ratio);
  }

  private lay(
    context: CanvasRenderingContext2D,
    view: View,
    { selection, placing }: ThingMark,
    source: Shown,
    alpha: number,
  ): void {
    let cut = this.cuts.get(selection);
    if (cut?.of !== source) {
      cut = { of: source, canvas: selection.cutOut(source.image) };
      this.cuts.set(selection, cut);
    }
    const [left, top] = selection.bounds ?? [0, 0];
    context.save();
    context.globalAlpha = alpha;
    enter(context, view, selection, placing);
    context.drawImage(cut.canvas, left - 0.5, top - 0.5);
    context.restore();
  }
}

/** Coordinates of the picture that shows the thing, as it is placed. */
function enter(context: CanvasRenderingContext2D, view: View, selection: Selection, placing: Placing): void {
  const [x, y] = selection.middle;
  context.translate(view.x, view.y);
  context.scale(view.scale, view.scale);
  context.translate(x + placing.shift[0] + 0.5, y + placing.shift[1] + 0.5);
  context.rotate((placing.turn * Math.PI) / 180);
  context.scale(placing.scale, placing.scale);
  context.translate(-x, -y);
}

function outline(
  context: CanvasRenderingContext2D,
  view: View,
  selection: Selection,
  placing: Placing,
  colour: string,
  width: number,
): void {
  const size = view.scale * placing.scale;
  const [left, top] = selection.bounds ?? [0, 0];
  context.save();
  enter(context, view, selection, placing);
  context.translate(left - 1, top - 1);
  context.lineCap = "round";
  for (const [style, line] of [
    [CASING, 2 * width],
    [colour, width],
  ] as const) {
    context.strokeStyle = style;
    context.lineWidth = line / size;
    selection.contour.stroke(context);
  }
  context.restore();
}

/** The box with its handles. */
function frame(context: CanvasRenderingContext2D, view: View, mark: ThingMark): void {
  const { selection, placing } = mark;
  const { bounds, middle } = selection;
  if (bounds === null) return;
  const corners = ([0, 1, 2, 3] as Corner[]).map((each) =>
    toScreen(view, placed(cornerOf(bounds, each), middle, placing)),
  );
  const knob = turnKnob(view, mark, placing);
  const [a, b] = corners as [XY, XY];
  trace(context, [...corners, a]);
  trace(context, [[(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], knob]);
  context.fillStyle = WHITE;
  context.strokeStyle = BLUE;
  context.lineWidth = 1.5;
  for (const [x, y] of corners) {
    context.beginPath();
    context.rect(x - KNOB, y - KNOB, 2 * KNOB, 2 * KNOB);
    context.fill();
    context.stroke();
  }
  context.beginPath();
  context.arc(...knob, KNOB + 1, 0, 2 * Math.PI);
  context.fill();
  context.stroke();
}

/** A thin light line on a dark one. */
function trace(context: CanvasRenderingContext2D, line: readonly XY[]): void {
  if (line.length < 2) return;
  context.beginPath();
  for (const [x, y] of line) context.lineTo(x, y);
  for (const [style, width] of [
    [CASING, 3],
    [WHITE, 1.25],
  ] as const) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.stroke();
  }
}
