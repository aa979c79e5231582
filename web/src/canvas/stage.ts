/** The canvas of the studio: shows a model and turns what a person does with the pointer into its changes. */

import { effect } from "@preact/signals";
import { BoxTool } from "./box-tool";
import { BrushTool } from "./brush-tool";
import { Camera } from "./camera";
import "./canvas.css";
import { CropTool } from "./crop-tool";
import { Crosshair } from "./crosshair";
import { Cursor } from "./cursor";
import { describe, describeSpot } from "./describe";
import { Divider } from "./divider";
import type { Press } from "./gestures";
import { type KeyDesk, Keys } from "./keys";
import { ALL_LAYERS, type LayerName, Layers } from "./layers";
import type { CanvasModel, Shown, Tool, XY } from "./model";
import { Painting } from "./painting";
import { PartsLayer } from "./parts-layer";
import { PartsTool } from "./parts-tool";
import { PointTool } from "./point-tool";
import { type Desk, type Hand, Pointers } from "./pointers";
import { ThingsTool } from "./things-tool";
import { clamp, isInside, type Size, toPicture } from "./viewport";

/** Pixels that an arrow key moves a point, the crop or the crosshair by while Shift is held. */
const LONG_STEP = 10;
/** Screen pixels from the crosshair to the edge of the host. */
const MARGIN = 24;

export class Stage {
  private readonly camera: Camera;
  private readonly layers: Layers;
  private readonly divider: Divider;
  private readonly cursor: Cursor;
  private readonly crosshair: Crosshair;
  /** What the crosshair presses with while Enter is held. */
  private pressing: Hand | null = null;
  private readonly words = document.createElement("div");
  private readonly painting: Painting;
  private readonly points: PointTool;
  private readonly brush: BrushTool;
  private readonly parts: PartsTool;
  private readonly crop: CropTool;
  private readonly box: BoxTool;
  private readonly things: ThingsTool;
  private readonly pointers: Pointers;
  private readonly keys: Keys;
  private readonly ends: (() => void)[] = [];
  /** Width and height of the picture that the camera is at. */
  private size = "";
  private hovered: Press | null = null;

  constructor(
    private readonly host: HTMLElement,
    private readonly model: CanvasModel,
  ) {
    const around = () => this.camera.placement;
    this.camera = new Camera(model.zoom, () => this.placed());
    this.points = new PointTool(model, around, {
      changed: () => this.layers.redraw("marks"),
      fit: () => this.fit(),
    });
    this.divider = new Divider(model.split);
    this.crop = new CropTool(model, around, () => this.layers.redraw("marks"));
    this.box = new BoxTool(model, around, () => this.layers.redraw("marks"));
    this.things = new ThingsTool(model, around, () => this.layers.redraw("marks"));
    const partsLayer = new PartsLayer();
    this.parts = new PartsTool(model, partsLayer, around, () => this.layers.redraw("parts"));
    this.layers = new Layers(
      model,
      this.camera,
      this.points,
      partsLayer,
      this.parts,
      this.crop,
      this.box,
      this.things,
      this.divider,
    );
    this.painting = new Painting(model, this.layers.mask, () => this.layers.redraw("mask"));
    this.brush = new BrushTool(model, this.painting, around);
    this.cursor = new Cursor(host, model, this.points, this.crop, this.box, this.things, around);
    this.crosshair = new Crosshair(around);
    this.furnish();
    this.pointers = new Pointers(host, this.pointerDesk());
    this.keys = new Keys(host, this.keyDesk());
    this.resize();
    this.watch();
  }

  dispose(): void {
    for (const end of this.ends) {
      end();
    }
    this.pointers.stop();
    this.keys.stop();
    this.painting.stop();
    this.layers.stop();
    this.host.replaceChildren();
    this.host.classList.remove("canvas-host", "is-dark");
  }

  /** Keys go to what is selected on the picture. */
  focus(): void {
    this.host.focus();
  }

  /** Enter is for the crosshair. */
  get takesPresses(): boolean {
    return document.activeElement === this.host && this.canPress();
  }

  /** What the tool does at the crosshair, as with the first button of a mouse; shows it where it is not shown. */
  press(shift: boolean, alt: boolean): void {
    Object.assign(this.crosshair, { shift, alt });
    const [press, hand] = [this.crosshair.press(), this.hand()];
    if (press === null) {
      this.deselect();
      this.moveCrosshair(0, 0);
    } else if (hand?.down(press)) this.pressing = hand;
    else this.deselect();
  }

  release(): void {
    const [press, hand] = [this.crosshair.press(), this.pressing];
    this.pressing = null;
    if (press !== null) hand?.up(press);
    this.crosshair.shift = this.crosshair.alt = false;
    this.tellSpot();
  }

  /** The whole picture. */
  fit(): void {
    this.camera.fit();
  }

  /** One screen pixel for each of the picture's. */
  actualSize(): void {
    this.camera.zoomTo(1);
  }

  /** Around a place of the host in CSS pixels, or its middle. */
  zoomBy(factor: number, at?: XY): void {
    this.camera.zoomBy(factor, at);
  }

  resize(): void {
    const ratio = window.devicePixelRatio || 1;
    this.camera.resize({ width: this.host.clientWidth, height: this.host.clientHeight }, ratio);
    this.layers.resize();
  }

  /** What may change must stay, and the other way round; nothing without a region. */
  invertMask(): void {
    this.painting.invert();
  }

  clearMask(): void {
    this.painting.clear();
  }

  private furnish(): void {
    const { host, words } = this;
    host.classList.add("canvas-host");
    host.tabIndex = 0;
    host.setAttribute("role", "application");
    host.setAttribute(
      "aria-label",
      "Picture: arrow keys move what is chosen or a crosshair, Enter presses there",
    );
    words.className = "canvas-words";
    words.setAttribute("aria-live", "polite");
    host.replaceChildren(
      this.layers.pictures.paper,
      this.layers.pictures.sheet.element,
      this.layers.parts.sheet.element,
      this.layers.mask.sheet.element,
      this.layers.crop.sheet.element,
      this.layers.boxes.sheet.element,
      this.layers.things.sheet.element,
      this.layers.marks.element,
      this.cursor.circle,
      this.crosshair.element,
      this.crosshair.words,
      this.divider.element,
      words,
    );
    const observer = new ResizeObserver(() => this.resize());
    observer.observe(host);
    const screens = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    const resize = () => this.resize();
    screens.addEventListener("change", resize);
    this.ends.push(
      () => observer.disconnect(),
      () => screens.removeEventListener("change", resize),
    );
  }

  private watch(): void {
    const { model } = this;
    this.follow(() => this.takePicture(model.picture.value, model.extent.value), "picture");
    this.follow(() => model.sharp.value, "picture");
    this.follow(() => {
      this.divider.show(model.picture.value !== null && model.comparison.value?.style === "slider");
    });
    this.follow(() => [model.comparison.value, model.split.value, model.grid.value], ...ALL_LAYERS);
    this.follow(() => {
      model.mask.value;
      this.painting.modelChanged();
    });
    this.follow(() => {
      model.parts.value;
      this.parts.modelChanged();
    });
    this.follow(
      () => [
        model.partsVisible.value,
        model.partsOpacity.value,
        model.unsure.value,
        model.isPreview.value,
        model.editable.value,
      ],
      "parts",
    );
    this.follow(() => model.crop.value, "marks");
    this.follow(() => [model.boxes.value, model.box.value, model.nextColour.value], "marks");
    this.follow(() => [model.things.value, model.thing.value], "marks");
    this.follow(() => [model.maskVisible.value, model.editable.value], "mask");
    this.follow(
      () => [model.points.value, model.pointsVisible.value, model.pending.value, model.selected.value],
      "marks",
    );
    this.follow(
      () => [model.tracked.value, model.trails.value, model.notes.value, model.editable.value],
      "marks",
    );
    this.follow(() => {
      [model.tool.value, model.editable.value, model.brush.value, model.zoom.value];
      [model.partsAction.value, model.part.value, model.partsSize.value, model.thingAction.value];
      this.showCursor();
    });
    this.follow(() => this.host.classList.toggle("is-dark", model.dark.value));
    this.follow(() => {
      this.words.textContent = describe(
        model.points.value,
        model.pending.value,
        model.boxes.value,
        model.tool.value === "things" ? (model.things.value?.all ?? null) : null,
      );
    });
  }

  /** Runs `read` again whenever what it reads changes, and draws these layers anew. */
  private follow(read: () => unknown, ...layers: LayerName[]): void {
    this.ends.push(
      effect(() => {
        read();
        this.layers.redraw(...layers);
      }),
    );
  }

  private takePicture(shown: Shown | null, extent: Size | null): void {
    const picture = shown && (extent ?? shown);
    const size = picture === null ? "" : `${picture.width} ${picture.height}`;
    if (size === this.size) {
      return;
    }
    this.size = size;
    this.layers.pictures.paper.hidden = shown === null;
    this.camera.show(picture);
    this.painting.pictureResized();
    this.layers.redraw(...ALL_LAYERS);
  }

  /** The picture lies elsewhere on the screen. */
  private placed(): void {
    const { placement } = this.camera;
    if (placement !== null) {
      this.layers.pictures.place(placement);
    }
    this.layers.redraw(...ALL_LAYERS);
    const press = this.crosshair.press() ?? this.hovered;
    if (press !== null) {
      this.hover(press);
    }
  }

  private hand(): Hand | null {
    const hands: Readonly<Record<Tool, Hand | null>> = {
      point: this.points,
      brush: this.brush,
      parts: this.parts,
      crop: this.crop,
      box: this.box,
      things: this.things,
      pan: null,
    };
    return hands[this.model.tool.peek()];
  }

  private hover(press: Press | null): void {
    const { model } = this;
    const { placement } = this.camera;
    this.hovered = press;
    this.layers.pointer = press?.at ?? null;
    const place = press === null || placement === null ? null : toPicture(placement.view, press.at);
    model.pointer.value =
      place !== null && placement !== null && isInside(place, placement.picture) ? place : null;
    if (model.pending.peek() !== null) {
      this.layers.redraw("marks");
    }
    this.showCursor();
  }

  private showCursor(): void {
    this.cursor.show(this.hovered, this.pointers.state);
  }

  private pointerDesk(): Desk {
    const { camera } = this;
    return {
      hand: () => this.hand(),
      hover: (press) => {
        if (press !== null) this.crosshair.hide();
        if (!this.crosshair.isShown) this.hover(press);
      },
      panBy: (dx, dy) => camera.panBy(dx, dy),
      zoomBy: (factor, at) => camera.zoomBy(factor, at),
      pinch: (from, to) => camera.pinch(from, to),
      clickedNothing: () => this.deselect(),
      fit: () => camera.fit(),
    };
  }

  /** False when nothing was selected. */
  private deselect(): boolean {
    const { selected, box, thing } = this.model;
    const chosen = [selected, box, thing].filter((each) => each.peek() !== null);
    for (const each of chosen) each.value = null;
    return chosen.length > 0;
  }

  private canPress(): boolean {
    return this.model.editable.peek() && this.hand() !== null;
  }

  /** By steps that are seen; the picture goes along where it is larger than the host. */
  private moveCrosshair(across: number, down: number): void {
    const { box, placement } = this.camera;
    if (placement === null) return;
    const step = Math.max(1, Math.round(1 / placement.view.scale));
    this.crosshair.move(across * step, down * step);
    const press = this.crosshair.press();
    if (press === null) return;
    const [x, y] = press.at;
    const [dx, dy] = [clamp(x, MARGIN, box.width - MARGIN) - x, clamp(y, MARGIN, box.height - MARGIN) - y];
    if (dx !== 0 || dy !== 0) this.camera.panBy(dx, dy);
    const moved = this.crosshair.press() ?? press;
    this.pressing?.move([moved]);
    this.hover(moved);
  }

  /** False when it was not shown. */
  private hideCrosshair(): boolean {
    const wasShown = this.crosshair.isShown;
    this.crosshair.hide();
    if (wasShown) this.hover(null);
    return wasShown;
  }

  private tellSpot(): void {
    const press = this.crosshair.press();
    const { placement } = this.camera;
    if (press === null || placement === null) return;
    const tool = this.model.tool.peek();
    this.crosshair.words.textContent = describeSpot(
      toPicture(placement.view, press.at),
      tool === "point" ? this.points.gripAt(press.at, false) : null,
      tool === "things" ? this.things.thingAt(press) : null,
    );
  }

  private arrow(across: number, down: number, shift: boolean): boolean {
    if (this.pressing === null && this.nudge(across, down, shift)) {
      this.hideCrosshair();
      return true;
    }
    const length = shift ? LONG_STEP : 1;
    if (this.canPress()) this.moveCrosshair(across * length, down * length);
    return this.canPress();
  }

  private nudge(across: number, down: number, shift: boolean): boolean {
    if (this.model.tool.peek() === "box") return this.box.nudge(across, down, shift);
    const length = shift ? LONG_STEP : 1;
    const held = this.model.tool.peek();
    const tool = held === "crop" ? this.crop : held === "things" ? this.things : this.points;
    return tool.nudge(across * length, down * length);
  }

  private keyDesk(): KeyDesk {
    return {
      holdPan: (held) => {
        this.pointers.panning = held;
        this.showCursor();
      },
      arrow: (across, down, shift) => this.arrow(across, down, shift),
      finishNudge: () => {
        this.box.finishNudge();
        this.points.finishNudge();
        this.crop.finishNudge();
        this.things.finishNudge();
        this.tellSpot();
      },
      leave: () => {
        this.pressing?.drop();
        this.pressing = null;
        this.hideCrosshair();
      },
      cancel: () => {
        const brushed = this.brush.cancel();
        const painted = this.parts.cancel() || brushed;
        const selected = this.things.cancel();
        const boxed = this.box.cancel() || selected;
        const cropped = this.crop.cancel() || boxed;
        this.pressing = null;
        if (this.points.cancel() || painted || cropped) return true;
        if (this.model.editable.peek() && this.deselect()) return true;
        return this.hideCrosshair();
      },
    };
  }
}
