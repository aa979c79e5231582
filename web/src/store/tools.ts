/** What the person holds and how the canvas shows things: none of it is part of the document. */

import { type Signal, signal } from "@preact/signals";
import type { Brush, PartsAction, ThingAction, Tool } from "../canvas/model";
import type { XY } from "./reduce";

export const BRUSH_SIZES = { least: 1, most: 400 } as const;

export class Tools {
  readonly tool: Signal<Tool> = signal("point");
  readonly brush: Signal<Brush> = signal({ size: 40, paint: "change", erase: false });
  readonly selected: Signal<number | null> = signal(null);
  readonly pending: Signal<XY | null> = signal(null);
  readonly pointsVisible = signal(true);
  readonly maskVisible = signal(true);
  readonly thingAction: Signal<ThingAction> = signal("click");
  /** Of the colours that a click selects, 0 to 1. */
  readonly tolerance = signal(0.5);
  /** The Segment Anything model that clicks and boxes ask; null for colours and edges. */
  readonly selector: Signal<string | null> = signal(null);
  /** Runs to choose from. */
  readonly candidates = signal(1);
  readonly partsAction: Signal<PartsAction> = signal("paint");
  /** Id of the part that is painted with. */
  readonly part = signal(1);
  /** Diameter of the brush that paints parts, in pixels of the picture. */
  readonly partsSize = signal(14);
  readonly partsVisible = signal(true);
  readonly partsOpacity = signal(0.6);
  readonly grid = signal(false);
  readonly split = signal(0.5);
  readonly zoom = signal(1);
  readonly pointer: Signal<XY | null> = signal(null);

  setBrush(part: Partial<Brush>): void {
    this.brush.value = { ...this.brush.value, ...part };
  }

  /** Diameter of the brush in hand. */
  get size(): number {
    return this.tool.value === "parts" ? this.partsSize.value : this.brush.value.size;
  }

  set size(size: number) {
    if (this.tool.value === "parts") this.partsSize.value = size;
    else this.setBrush({ size });
  }

  /** By a fifth, at least by one pixel. */
  resizeBrush(direction: 1 | -1): void {
    const next = this.size + direction * Math.max(1, Math.round(this.size * 0.2));
    this.size = Math.min(Math.max(next, BRUSH_SIZES.least), BRUSH_SIZES.most);
  }

  takePart(id: number): void {
    this.part.value = id;
    if (this.partsAction.value !== "fill") this.partsAction.value = "paint";
  }

  swapPaint(): void {
    this.setBrush({ paint: this.brush.value.paint === "change" ? "stay" : "change" });
  }
}
