/** One point as drawn: handle, arrow, target, and what there is to say about it. All places are on the screen. */

import type { Context } from "konva/lib/Context";
import { Group } from "konva/lib/Group";
import { Shape } from "konva/lib/Shape";
import { Circle } from "konva/lib/shapes/Circle";
import { AMBER, BLUE, CASING, DISC_RADIUS, FONT, INK, RED, RING_RADIUS, WHITE } from "./look";
import type { XY } from "./model";
import { distance } from "./viewport";

export interface PointLook {
  readonly number: number;
  readonly handle: XY;
  /** Null while it is not placed and the pointer is elsewhere. */
  readonly target: XY | null;
  /** Not finished: the target follows the pointer. */
  readonly draft: boolean;
  readonly locked: boolean;
  readonly selected: boolean;
  /** The other place of the handle: where it started, or is on the frame that is shown. */
  readonly dot: XY | null;
  /** The dot is where it started: the disc has moved on. */
  readonly moving: boolean;
  readonly trail: readonly XY[];
  readonly weak: boolean;
  readonly better: XY | null;
}

const DOT_RADIUS = 4;
const PADLOCK =
  "M2 4.5V3a2.5 2.5 0 0 1 5 0v1.5h.3c.4 0 .7.3.7.7v3.1c0 .4-.3.7-.7.7H1.7c-.4 0-.7-.3-.7-.7V5.2c0-.4.3-.7.7-.7zm1.2 0h2.6V3a1.3 1.3 0 0 0-2.6 0z";

export class PointNode {
  readonly group = new Group();
  private trail: readonly XY[] = [];
  private readonly way = new Shape({ sceneFunc: (context) => drawTrail(context._context, this.trail) });
  private ends: Ends | null = null;
  private readonly arrowCasing = arrow(CASING, 5, () => this.ends);
  private readonly arrow = arrow(WHITE, 2, () => this.ends);
  private readonly ringCasing = new Circle({ radius: RING_RADIUS, stroke: CASING, strokeWidth: 6.5 });
  private readonly ringEdge = new Circle({ radius: RING_RADIUS, stroke: WHITE, strokeWidth: 5 });
  private readonly ring = new Circle({ radius: RING_RADIUS, stroke: BLUE, strokeWidth: 2.5 });
  private readonly dot = new Circle({ radius: DOT_RADIUS, strokeWidth: 2 });
  private readonly halo = new Circle({
    radius: DISC_RADIUS + 5,
    fill: "rgba(255, 255, 255, 0.4)",
    stroke: WHITE,
    strokeWidth: 1.5,
  });
  private readonly discCasing = new Circle({ radius: DISC_RADIUS + 2, fill: CASING });
  private readonly disc = new Circle({ radius: DISC_RADIUS, fill: RED, stroke: WHITE, strokeWidth: 2 });
  private number = 0;
  private readonly label = sign((context) => write(context, String(this.number), WHITE));
  private readonly lock = badge(INK, sign(drawPadlock));
  private readonly warning = badge(
    AMBER,
    sign((context) => write(context, "!", INK)),
  );
  private betterEnds: Ends | null = null;
  private readonly betterLine = arrow(AMBER, 1.5, () => this.betterEnds, [3, 3]);
  private readonly ghost = new Circle({
    radius: DISC_RADIUS - 1,
    fill: "rgba(229, 72, 77, 0.35)",
    stroke: AMBER,
    strokeWidth: 2,
    dash: [4, 3],
  });

  constructor() {
    this.group.add(this.way, this.arrowCasing, this.arrow, this.betterLine, this.ghost);
    this.group.add(this.ringCasing, this.ringEdge, this.ring, this.dot);
    this.group.add(this.halo, this.discCasing, this.disc, this.label, this.lock, this.warning);
  }

  update(look: PointLook): void {
    const disc = look.handle;
    this.trail = look.trail;
    this.way.visible(look.trail.length > 1);
    this.dot.visible(look.dot !== null).position(point(look.dot ?? disc));
    this.dot.fill(look.moving ? WHITE : RED).stroke(look.moving ? RED : WHITE);
    for (const node of [this.halo, this.discCasing, this.disc, this.label]) {
      node.position(point(disc));
    }
    this.halo.visible(look.selected);
    this.number = look.number;
    this.lock.visible(look.locked).position({ x: disc[0] + 9, y: disc[1] + 9 });
    this.warning.visible(look.weak).position({ x: disc[0] + 9, y: disc[1] - 9 });
    this.updateTarget(disc, look);
    this.updateBetter(look);
  }

  private updateTarget(disc: XY, look: PointLook): void {
    const { target } = look;
    for (const node of [this.ringCasing, this.ringEdge, this.ring]) {
      node.visible(target !== null).position(point(target ?? disc));
    }
    this.ends = target === null ? null : shortened(disc, target, DISC_RADIUS + 2, RING_RADIUS + 5);
    for (const node of [this.arrowCasing, this.arrow]) {
      node.dash(look.draft || look.locked ? [5, 5] : []);
      node.opacity(look.locked ? 0.55 : 1);
    }
    this.ring.opacity(look.locked ? 0.55 : 1);
  }

  private updateBetter({ handle, better }: PointLook): void {
    const shown = better !== null;
    this.ghost.visible(shown).position(point(better ?? handle));
    this.betterEnds = better === null ? null : shortened(handle, better, DISC_RADIUS + 2, DISC_RADIUS + 1);
  }
}

/** Of a line: x and y where it begins and where it ends. */
type Ends = readonly [number, number, number, number];

const HEAD_LENGTH = 7;
const HEAD_WIDTH = 8;

function arrow(colour: string, width: number, ends: () => Ends | null, dash: number[] = []): Shape {
  const sceneFunc = ({ _context }: Context, shape: Shape) => drawArrow(_context, ends(), shape);
  return new Shape({ stroke: colour, fill: colour, strokeWidth: width, dash, sceneFunc });
}

function drawArrow(context: CanvasRenderingContext2D, ends: Ends | null, shape: Shape): void {
  if (ends === null) return;
  const [x, y, toX, toY] = ends;
  const length = distance([x, y], [toX, toY]);
  const [across, down] = [(toX - x) / length, (toY - y) / length];
  context.strokeStyle = context.fillStyle = String(shape.stroke());
  context.lineWidth = shape.strokeWidth();
  context.lineCap = context.lineJoin = "round";
  context.setLineDash(shape.dash());
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(toX, toY);
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  context.moveTo(toX, toY);
  for (const side of [HEAD_WIDTH / 2, -HEAD_WIDTH / 2]) {
    context.lineTo(toX - across * HEAD_LENGTH - down * side, toY - down * HEAD_LENGTH + across * side);
  }
  context.closePath();
  context.fill();
  context.stroke();
}

/** In place of Konva's own shapes for texts, paths and arrows, which are 8 KB more to load. */
function sign(draw: (context: CanvasRenderingContext2D) => void): Shape {
  return new Shape({ sceneFunc: (context) => draw(context._context) });
}

/** In the middle; smaller where it is long. */
function write(context: CanvasRenderingContext2D, text: string, colour: string): void {
  context.font = `bold ${[11, 11, 10][text.length] ?? 8}px ${FONT}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = colour;
  context.fillText(text, 0, 0.5);
}

function drawPadlock(context: CanvasRenderingContext2D): void {
  context.translate(-4.5, -5);
  context.fillStyle = WHITE;
  context.fill(new Path2D(PADLOCK));
}

function badge(colour: string, shape: Shape): Group {
  const group = new Group();
  group.add(new Circle({ radius: 7, fill: colour, stroke: WHITE, strokeWidth: 1.25 }), shape);
  return group;
}

function point([x, y]: XY): { x: number; y: number } {
  return { x, y };
}

/** From edge to edge; null when the ends touch. */
function shortened(from: XY, to: XY, atStart: number, atEnd: number): Ends | null {
  const length = distance(from, to);
  if (length <= atStart + atEnd + 2) {
    return null;
  }
  const across = (to[0] - from[0]) / length;
  const down = (to[1] - from[1]) / length;
  return [from[0] + across * atStart, from[1] + down * atStart, to[0] - across * atEnd, to[1] - down * atEnd];
}

/** Fades towards its beginning. */
function drawTrail(context: CanvasRenderingContext2D, trail: readonly XY[]): void {
  context.lineCap = "round";
  for (const [colour, width] of [[CASING, 5] as const, [RED, 2.5] as const]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    for (let index = 1; index < trail.length; index++) {
      const [from, to] = [trail[index - 1], trail[index]];
      if (from === undefined || to === undefined) {
        continue;
      }
      context.globalAlpha = 0.15 + (0.85 * index) / trail.length;
      context.beginPath();
      context.moveTo(from[0], from[1]);
      context.lineTo(to[0], to[1]);
      context.stroke();
    }
  }
  context.globalAlpha = 1;
}
