/** Paints parts: the layer shows a stroke at once, the model learns of the map at its end. */

import { type Dab, dabRadius, line, StrokePath } from "./brush";
import type { Press } from "./gestures";
import { filledAt, type Ids, paintIds, replaced, sameIds } from "./ids";
import type { CanvasModel, PartsShown } from "./model";
import type { PartsLayer } from "./parts-layer";
import type { Surroundings } from "./point-tool";
import type { Hand } from "./pointers";
import { touched } from "./region";
import { isInside, toPicture } from "./viewport";

type Activity =
  | { readonly kind: "none" }
  | { readonly kind: "picking" }
  | { readonly kind: "stroke"; readonly path: StrokePath; readonly ids: Ids; readonly map: Uint8Array };

const NONE: Activity = { kind: "none" };

export class PartsTool implements Hand {
  private activity: Activity = NONE;
  private lastEnd: Dab | null = null;

  constructor(
    private readonly model: CanvasModel,
    private readonly layer: PartsLayer,
    private readonly surroundings: () => Surroundings | null,
    private readonly changed: () => void,
  ) {}

  get isBusy(): boolean {
    return this.activity.kind !== "none";
  }

  /** The model has other parts; a stroke that goes on is painted over them when it ends. */
  modelChanged(): void {
    const { activity } = this;
    if (activity.kind !== "stroke" || activity.map.length !== this.model.parts.peek()?.own.length) {
      this.activity = NONE;
      this.showModel();
    }
  }

  down(press: Press): boolean {
    const around = this.surroundings();
    const parts = this.model.parts.peek();
    if (around === null || parts === null || !this.model.editable.peek() || press.second) {
      return false;
    }
    const action = press.alt ? "pick" : this.model.partsAction.peek();
    if (action === "pick" || action === "fill") {
      return this.click(action, press, around, parts);
    }
    const ids = action === "erase" ? parts.own : this.model.part.peek();
    const map = parts.painted.slice();
    const stroke = { kind: "stroke", path: new StrokePath(), ids, map } as const;
    this.activity = stroke;
    this.layer.show(parts, map);
    const dab = this.dabAt(press, around);
    const straight = press.shift && this.lastEnd !== null ? line(this.lastEnd, dab) : [];
    this.paint(straight, stroke, parts);
    this.paint(stroke.path.add(dab), stroke, parts);
    this.lastEnd = dab;
    return true;
  }

  move(presses: readonly Press[]): void {
    const [around, parts] = [this.surroundings(), this.model.parts.peek()];
    const { activity } = this;
    if (around === null || parts === null) {
      return;
    }
    for (const press of presses) {
      if (activity.kind === "picking") {
        this.pick(press, around, parts);
      } else if (activity.kind === "stroke") {
        const dab = this.dabAt(press, around);
        this.paint(activity.path.add(dab), activity, parts);
        this.lastEnd = dab;
      }
    }
  }

  up(): void {
    const { activity } = this;
    const parts = this.model.parts.peek();
    this.activity = NONE;
    if (activity.kind === "picking") {
      this.model.partsAction.value = "paint";
    } else if (activity.kind === "stroke" && parts !== null) {
      this.paint(activity.path.finish(), activity, parts);
      const erased = typeof activity.ids !== "number";
      this.tell(activity.map, parts, erased ? "Erase paint" : `Paint ${this.nameOf(parts)}`);
    }
  }

  drop(): void {
    if (this.activity.kind === "stroke") {
      this.showModel();
    }
    this.activity = NONE;
  }

  /** False when there was no stroke. */
  cancel(): boolean {
    const busy = this.activity.kind !== "none";
    this.drop();
    return busy;
  }

  private click(action: "pick" | "fill", press: Press, around: Surroundings, parts: PartsShown): boolean {
    const [x, y] = toPicture(around.view, press.at).map(Math.round) as [number, number];
    if (!isInside([x, y], around.picture)) {
      return false;
    }
    if (action === "pick") {
      this.activity = { kind: "picking" };
      this.pick(press, around, parts);
      return true;
    }
    const id = this.model.part.peek();
    const under = parts.painted[y * parts.width + x] ?? 0;
    const map = press.shift ? replaced(parts.painted, under, id) : filledAt(parts.painted, parts, x, y, id);
    this.tell(map, parts, `Fill with ${this.nameOf(parts)}`);
    return true;
  }

  private pick(press: Press, { view, picture }: Surroundings, { painted, width }: PartsShown): void {
    const [x, y] = toPicture(view, press.at).map(Math.round) as [number, number];
    if (isInside([x, y], picture)) {
      this.model.part.value = painted[y * width + x] ?? 0;
    }
  }

  private paint(dabs: readonly Dab[], { map, ids }: Activity & { kind: "stroke" }, parts: PartsShown): void {
    if (dabs.length > 0) {
      paintIds(map, parts, dabs, ids);
      this.layer.changed(touched(dabs, parts));
      this.changed();
    }
  }

  /** Nothing is told of a stroke that changed nothing. */
  private tell(map: Uint8Array, parts: PartsShown, label: string): void {
    if (sameIds(map, parts.painted)) {
      this.showModel();
    } else {
      this.model.changeParts(map, label);
    }
  }

  private showModel(): void {
    const parts = this.model.parts.peek();
    this.layer.show(parts, parts?.painted ?? null);
    this.changed();
  }

  private nameOf(parts: PartsShown): string {
    return parts.classes[this.model.part.peek()]?.name.slice(0, 40) ?? "part";
  }

  private dabAt(press: Press, { view }: Surroundings): Dab {
    const [x, y] = toPicture(view, press.at);
    return { x, y, radius: dabRadius(this.model.partsSize.peek(), press.pressure, press.pointer === "pen") };
  }
}
