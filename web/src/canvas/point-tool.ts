/** Brings the gestures on points to the model. */

import { type Action, PointGestures, type Press, preview, type Scene } from "./gestures";
import { type Grip, gripAt } from "./hit";
import type { CanvasModel, PointMark, XY } from "./model";
import type { Hand } from "./pointers";
import { clampInside, type Size, type View } from "./viewport";

/** Where the picture lies. */
export interface Surroundings {
  readonly view: View;
  readonly picture: Size;
}

export class PointTool implements Hand {
  readonly gestures = new PointGestures((action) => this.act(action));
  /** Points whose target the arrow keys are moving; told to the model when the key is let go. */
  private nudged: readonly PointMark[] | null = null;

  constructor(
    private readonly model: CanvasModel,
    private readonly surroundings: () => Surroundings | null,
    private readonly on: { readonly changed: () => void; readonly fit: () => void },
  ) {}

  /** The points as they look now. */
  shown(): readonly PointMark[] {
    return this.nudged ?? preview(this.model.points.peek(), this.gestures.gesture);
  }

  gripAt(at: XY, touch: boolean): Grip | null {
    const scene = this.scene();
    return scene === null ? null : gripAt(scene, at, touch);
  }

  down(press: Press): boolean {
    const scene = this.scene();
    return scene !== null && this.gestures.down(press, scene);
  }

  move(presses: readonly Press[]): void {
    const scene = this.scene();
    const press = presses.at(-1);
    if (scene !== null && press !== undefined) {
      this.gestures.move(press, scene);
      this.on.changed();
    }
  }

  up(press: Press): void {
    const scene = this.scene();
    if (scene !== null) {
      this.gestures.up(press, scene);
      this.on.changed();
    }
  }

  drop(): void {
    this.gestures.drop();
    this.on.changed();
  }

  /** False when there was nothing to cancel. */
  cancel(): boolean {
    const scene = this.scene();
    const busy = scene !== null && this.gestures.cancel(scene);
    this.on.changed();
    return busy;
  }

  /** Moves the selected point's target; false when there is none. */
  nudge(dx: number, dy: number): boolean {
    const scene = this.scene();
    const number = this.model.selected.peek();
    if (scene === null || !scene.editable || number === null || scene.points[number] === undefined) {
      return false;
    }
    this.nudged = this.shown().map((mark, index) =>
      index === number
        ? { ...mark, target: clampInside([mark.target[0] + dx, mark.target[1] + dy], scene.picture) }
        : mark,
    );
    this.on.changed();
    return true;
  }

  finishNudge(): void {
    const points = this.nudged;
    this.nudged = null;
    if (points !== null) {
      this.model.changePoints(points, "Move target");
      this.on.changed();
    }
  }

  private scene(): Scene | null {
    const around = this.surroundings();
    if (around === null) {
      return null;
    }
    const { model } = this;
    const visible = model.pointsVisible.peek();
    const editable = visible && model.editable.peek();
    return {
      ...around,
      editable,
      points: visible ? this.reachable(editable) : [],
      pending: visible ? model.pending.peek() : null,
      selected: model.selected.peek(),
      better: editable ? betterPlaces(model) : [],
    };
  }

  /** Where the discs are drawn: while nothing can be changed, on the handles as they move. */
  private reachable(editable: boolean): readonly PointMark[] {
    const points = this.model.points.peek();
    const tracked = this.model.tracked.peek();
    return editable || tracked === null
      ? points
      : points.map((mark, index) => ({ ...mark, handle: tracked[index] ?? mark.handle }));
  }

  private act(action: Action): void {
    if (action.do === "change") {
      this.model.changePoints(action.points, action.label);
    } else if (action.do === "select") {
      this.model.selected.value = action.point;
    } else if (action.do === "pend") {
      this.model.pending.value = action.place;
    } else {
      this.on.fit();
    }
  }
}

function betterPlaces(model: CanvasModel): { point: number; place: XY }[] {
  return model.notes
    .peek()
    .flatMap(({ point, better }) => (better === null ? [] : [{ point, place: better }]));
}
