/** The layers one over the other, each drawn anew at most once per frame of the screen and only when it is stale. */

import { type BoxesNow, BoxLayer } from "./box-layer";
import type { BoxTool } from "./box-tool";
import type { Camera } from "./camera";
import { CropLayer } from "./crop-layer";
import type { CropTool } from "./crop-tool";
import type { Divider } from "./divider";
import { type Marks, MarksLayer } from "./marks-layer";
import { MaskLayer } from "./mask-layer";
import type { CanvasModel, XY } from "./model";
import type { PartsLayer } from "./parts-layer";
import type { PartsTool } from "./parts-tool";
import { PictureLayer, sharpens } from "./picture-layer";
import type { Placement } from "./placement";
import type { PointTool } from "./point-tool";
import { ThingsLayer, type ThingsNow } from "./things-layer";
import type { ThingsTool } from "./things-tool";
import { clampInside, toPicture } from "./viewport";

export type LayerName = "picture" | "parts" | "mask" | "marks";
export const ALL_LAYERS: readonly LayerName[] = ["picture", "parts", "mask", "marks"];

/** Share of their opacity that the parts keep over a preview, so that one sees it. */
const BESIDE_PREVIEW = 0.25;

export class Layers {
  readonly pictures = new PictureLayer();
  readonly mask = new MaskLayer();
  readonly crop = new CropLayer();
  readonly boxes = new BoxLayer();
  readonly things = new ThingsLayer();
  readonly marks = new MarksLayer();
  /** Screen place of the pointer; a handle that waits for its target points there. */
  pointer: XY | null = null;
  private readonly stale = new Set<LayerName>();
  private frame = 0;

  constructor(
    private readonly model: CanvasModel,
    private readonly camera: Camera,
    private readonly points: PointTool,
    readonly parts: PartsLayer,
    private readonly partsTool: PartsTool,
    private readonly cropTool: CropTool,
    private readonly boxTool: BoxTool,
    private readonly thingsTool: ThingsTool,
    private readonly divider: Divider,
  ) {}

  redraw(...names: LayerName[]): void {
    for (const name of names) {
      this.stale.add(name);
    }
    if (names.length > 0 && this.frame === 0) {
      this.frame = requestAnimationFrame(() => this.draw());
    }
  }

  /** Resizing empties the layers; nobody shall see that. */
  resize(): void {
    const { box, ratio } = this.camera;
    this.pictures.sheet.resize(box, ratio);
    this.parts.sheet.resize(box, ratio);
    this.mask.sheet.resize(box, ratio);
    this.crop.sheet.resize(box, ratio);
    this.boxes.sheet.resize(box, ratio);
    this.things.sheet.resize(box, ratio);
    this.marks.resize(box, ratio);
    this.redraw(...ALL_LAYERS);
    cancelAnimationFrame(this.frame);
    this.draw();
  }

  stop(): void {
    cancelAnimationFrame(this.frame);
    this.marks.destroy();
  }

  private draw(): void {
    this.frame = 0;
    const { model, stale } = this;
    const { placement } = this.camera;
    const shown = model.picture.peek();
    const comparison = model.comparison.peek();
    if (placement === null || shown === null) {
      this.drawNothing();
    } else {
      if (stale.has("picture")) {
        const sharp = sharpens(placement, shown) ? model.sharp.peek() : null;
        this.pictures.draw(placement, sharp ?? shown, comparison, model.split.peek(), model.grid.peek());
        this.divider.place(placement);
      }
      if (stale.has("parts")) {
        this.drawParts(placement, model.partsVisible.peek() && comparison === null);
      }
      if (stale.has("mask")) {
        const visible = model.maskVisible.peek() && comparison === null;
        this.mask.draw(placement, visible ? (model.editable.peek() ? "tinted" : "outline") : "hidden");
      }
      if (stale.has("marks")) {
        this.crop.draw(placement, comparison === null ? model.crop.peek() : null, this.cropTool.box);
        this.boxes.draw(placement, comparison === null ? this.boxesNow() : null);
        this.things.draw(placement, comparison === null ? this.thingsNow() : null);
        this.drawMarks(placement, model.pointsVisible.peek() && comparison?.style !== "whole");
      }
    }
    stale.clear();
  }

  private drawParts(placement: Placement, visible: boolean): void {
    const { model } = this;
    const style = visible ? (model.editable.peek() ? "tinted" : "outline") : "hidden";
    const faint = model.isPreview.peek() && !this.partsTool.isBusy;
    const opacity = model.partsOpacity.peek() * (faint ? BESIDE_PREVIEW : 1);
    this.parts.draw(placement, style, opacity, model.unsure.peek());
  }

  private drawMarks(placement: Placement, visible: boolean): void {
    if (visible) {
      this.marks.draw(placement.view, this.marksNow(placement));
    } else {
      this.marks.clear();
    }
  }

  private drawNothing(): void {
    this.pictures.clear(this.camera.ratio);
    this.parts.clear(this.camera.ratio);
    this.mask.clear(this.camera.ratio);
    this.crop.clear(this.camera.ratio);
    this.boxes.clear(this.camera.ratio);
    this.things.clear(this.camera.ratio);
    this.marks.clear();
  }

  private boxesNow(): BoxesNow | null {
    const { model } = this;
    const boxes = model.boxes.peek();
    return (
      boxes && {
        boxes,
        selected: model.box.peek(),
        pulled: this.boxTool.pulled,
        nextColour: model.nextColour.peek(),
        editable: model.editable.peek(),
      }
    );
  }

  private thingsNow(): ThingsNow | null {
    const { model, thingsTool } = this;
    const things = model.things.peek();
    return (
      things && {
        ...things,
        selected: model.thing.peek(),
        pulled: thingsTool.pulled,
        line: thingsTool.gestures.line,
        painted: thingsTool.painted,
        editable: model.editable.peek(),
      }
    );
  }

  private marksNow({ view, picture }: Placement): Marks {
    const { model } = this;
    return {
      points: this.points.shown(),
      pending: model.editable.peek() ? model.pending.peek() : null,
      gesture: this.points.gestures.gesture,
      pointer: this.pointer === null ? null : clampInside(toPicture(view, this.pointer), picture),
      selected: model.selected.peek(),
      tracked: model.tracked.peek(),
      trails: model.trails.peek(),
      notes: model.notes.peek(),
      editable: model.editable.peek(),
    };
  }
}
