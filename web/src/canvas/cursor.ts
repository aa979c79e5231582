/** What the pointer looks like: over the brush's ground, a circle as large as the brush. */

import type { BoxTool } from "./box-tool";
import type { CropTool } from "./crop-tool";
import type { Press } from "./gestures";
import type { CanvasModel } from "./model";
import type { PointTool, Surroundings } from "./point-tool";
import type { PointerState } from "./pointers";
import type { ThingsTool } from "./things-tool";
import { isInside, toPicture } from "./viewport";

const SMALLEST_CIRCLE = 4;

export class Cursor {
  readonly circle = document.createElement("div");

  constructor(
    private readonly host: HTMLElement,
    private readonly model: CanvasModel,
    private readonly points: PointTool,
    private readonly crop: CropTool,
    private readonly box: BoxTool,
    private readonly things: ThingsTool,
    private readonly surroundings: () => Surroundings | null,
  ) {
    this.circle.className = "canvas-brush";
    this.circle.hidden = true;
  }

  show(hovered: Press | null, state: PointerState): void {
    const pointer = hovered?.pointer === "touch" ? null : hovered;
    const tool = this.model.tool.peek();
    const action = this.model.partsAction.peek();
    const brushes =
      tool === "things" && this.model.thingAction.peek() === "brush" && this.model.things.peek()?.selects;
    const strokes =
      brushes || tool === "brush" || (tool === "parts" && (action === "paint" || action === "erase"));
    const paints = strokes && state === "works" && this.model.editable.peek();
    this.showCircle(paints ? pointer : null);
    if (paints) {
      this.host.style.cursor = "none";
    } else if (tool === "point" && state === "works" && pointer !== null) {
      this.host.style.cursor = this.overPoints(pointer);
    } else if (tool === "parts" && state === "works" && this.model.editable.peek()) {
      this.host.style.cursor = "crosshair";
    } else if (tool === "crop" && state === "works" && pointer !== null) {
      this.host.style.cursor = this.crop.cursorAt(pointer);
    } else if (tool === "box" && state === "works" && pointer !== null) {
      this.host.style.cursor = this.box.cursorAt(pointer);
    } else if (tool === "things" && state === "works" && pointer !== null) {
      this.host.style.cursor = this.things.cursorAt(pointer);
    } else {
      this.host.style.cursor = state === "pans" ? "grabbing" : "grab";
    }
  }

  private showCircle(press: Press | null): void {
    this.circle.hidden = press === null;
    if (press === null) {
      return;
    }
    const { erase, ...brush } = this.model.brush.peek();
    const parts = this.model.tool.peek() === "parts";
    const size = parts ? this.model.partsSize.peek() : brush.size;
    const colour = parts && this.model.parts.peek()?.classes[this.model.part.peek()]?.colour;
    const diameter = Math.max(SMALLEST_CIRCLE, size * this.model.zoom.peek());
    const { style } = this.circle;
    style.width = `${diameter}px`;
    style.height = `${diameter}px`;
    style.transform = `translate(${press.at[0] - diameter / 2}px, ${press.at[1] - diameter / 2}px)`;
    const erases = parts ? this.model.partsAction.peek() === "erase" : erase;
    style.background = colour && !erases ? `rgb(${colour.join(" ")} / 0.35)` : "";
    this.circle.classList.toggle("is-erasing", erases);
  }

  private overPoints(press: Press): string {
    const editable = this.model.editable.peek() && this.model.pointsVisible.peek();
    const grip = this.points.gripAt(press.at, false);
    if (grip !== null) {
      return grip.kind === "end" && editable ? "move" : "pointer";
    }
    const around = this.surroundings();
    const inside = around !== null && isInside(toPicture(around.view, press.at), around.picture);
    return inside && editable ? "crosshair" : "grab";
  }
}
