/**
 * The gestures on things, without a screen: select by click, box, lasso or brush; move, resize and turn.
 *
 * With Shift a selection is added to the chosen thing, with Alt it is taken from it.
 */

import { type Dab, dabRadius, StrokePath } from "./brush";
import { type Press, stillness } from "./gestures";
import type { ThingAction, ThingMark, XY } from "./model";
import { type Corner, cornerOf, moved, type Placing, placed, resized, turnedBy, unplaced } from "./placing";
import { clampInside, distance, isInside, type Size, toPicture, toScreen, type View } from "./viewport";

export type Joining = "new" | "add" | "subtract" | "replace";

export interface ThingsScene {
  readonly view: View;
  readonly picture: Size;
  readonly things: readonly ThingMark[];
  readonly selected: number | null;
  readonly action: ThingAction;
  /** Things go elsewhere in this mode. */
  readonly movable: boolean;
  readonly brush: number;
}

export type ThingsAct =
  | { readonly do: "select"; readonly index: number | null }
  | { readonly do: "place"; readonly index: number; readonly placing: Placing; readonly label: string }
  | { readonly do: "click"; readonly at: XY; readonly joining: Joining }
  /** Two corners. */
  | { readonly do: "box"; readonly from: XY; readonly to: XY; readonly joining: Joining }
  | { readonly do: "lasso"; readonly line: readonly XY[]; readonly joining: Joining }
  | {
      readonly do: "brush";
      readonly dabs: readonly Dab[];
      readonly joining: Joining;
      readonly done: boolean;
    };

export type ThingGrip =
  | { readonly kind: "corner"; readonly corner: Corner }
  | { readonly kind: "turn" }
  | { readonly kind: "inside"; readonly index: number }
  /** In the chosen thing's box and beside it: a pull moves it, a click is meant for the picture. */
  | { readonly kind: "around"; readonly index: number }
  | { readonly kind: "picture" };

/** A thing as it looks while a gesture goes on. */
export interface Pulled {
  readonly index: number;
  readonly placing: Placing;
}

type Gesture =
  | { readonly kind: "none" }
  | { readonly kind: "pressed"; readonly press: Press; readonly grip: ThingGrip }
  | { readonly kind: "pulling"; readonly from: XY; readonly grip: ThingGrip; readonly pulled: Pulled }
  | { readonly kind: "boxing"; readonly from: XY; readonly to: XY; readonly joining: Joining }
  | { readonly kind: "lasso"; readonly line: readonly XY[]; readonly joining: Joining }
  | { readonly kind: "brush"; readonly path: StrokePath; readonly joining: Joining };

const NONE: Gesture = { kind: "none" };
const REACH = 10;
const REACH_OF_A_FINGER = 22;
/** Screen pixels from the top of a thing's box to the knob that turns it. */
export const STALK = 28;
const CORNERS: readonly Corner[] = [0, 1, 2, 3];
const LABELS = { corner: "Resize", turn: "Turn", inside: "Move", around: "Move", picture: "" } as const;

/** Screen place of the knob. */
export function turnKnob(view: View, { selection }: ThingMark, placing: Placing): XY {
  const { bounds, middle } = selection;
  if (bounds === null) return [0, 0];
  const [left, right] = [0, 1].map((corner) =>
    toScreen(view, placed(cornerOf(bounds, corner as Corner), middle, placing)),
  ) as [XY, XY];
  const length = Math.max(distance(left, right), 1e-6);
  const out = STALK / length;
  return [
    (left[0] + right[0]) / 2 + (right[1] - left[1]) * out,
    (left[1] + right[1]) / 2 - (right[0] - left[0]) * out,
  ];
}

/** The chosen thing's handles come first, then the topmost thing; null beside the picture. */
export function thingGripAt(
  scene: ThingsScene,
  { at, pointer }: Pick<Press, "at" | "pointer">,
): ThingGrip | null {
  const { view, things, selected, movable } = scene;
  const chosen = things[selected ?? -1];
  const reach = pointer === "touch" ? REACH_OF_A_FINGER : REACH;
  const bounds = chosen?.selection.bounds;
  if (chosen && bounds && movable) {
    const { placing, selection } = chosen;
    const where = (corner: Corner) =>
      toScreen(view, placed(cornerOf(bounds, corner), selection.middle, placing));
    const corner = CORNERS.find((each) => distance(where(each), at) <= reach);
    if (corner !== undefined) return { kind: "corner", corner };
    if (distance(turnKnob(view, chosen, placing), at) <= reach) return { kind: "turn" };
  }
  const place = toPicture(view, at);
  const hit = things.findLastIndex(({ selection, placing }) =>
    selection.has(unplaced(place, selection.middle, placing)),
  );
  if (hit >= 0) return { kind: "inside", index: hit };
  const isLoose = scene.action === "click" || scene.action === "move";
  if (chosen && bounds && movable && isLoose && selected !== null) {
    const [x, y] = unplaced(place, chosen.selection.middle, chosen.placing);
    const [left, top, right, bottom] = bounds;
    if (x >= left && x <= right && y >= top && y <= bottom) return { kind: "around", index: selected };
  }
  return isInside(place, scene.picture) ? { kind: "picture" } : null;
}

function joiningOf(press: Press): Joining {
  return press.alt ? "subtract" : press.shift ? "add" : "new";
}

export class ThingsGestures {
  private gesture: Gesture = NONE;

  constructor(private readonly act: (act: ThingsAct) => void) {}

  get pulled(): Pulled | null {
    return this.gesture.kind === "pulling" ? this.gesture.pulled : null;
  }

  /** The line of the box or lasso that goes on. */
  get line(): readonly XY[] {
    const { gesture } = this;
    if (gesture.kind === "lasso") return gesture.line;
    if (gesture.kind !== "boxing") return [];
    const { from, to } = gesture;
    return [from, [to[0], from[1]], to, [from[0], to[1]], from];
  }

  down(press: Press, scene: ThingsScene): boolean {
    if (press.second) return false;
    const { action } = scene;
    const joining = joiningOf(press);
    const arranges = action === "move" || (joining === "new" && action !== "brush");
    const grip = arranges ? thingGripAt(scene, press) : null;
    if (grip !== null && grip.kind !== "picture") {
      if (grip.kind === "inside") this.act({ do: "select", index: grip.index });
      this.gesture = { kind: "pressed", press, grip };
      return true;
    }
    if (action === "move" || !isInside(toPicture(scene.view, press.at), scene.picture)) {
      return false;
    }
    this.gesture = begun(press, scene, joining);
    if (this.gesture.kind === "brush") this.stroke(this.gesture, [press], scene);
    return true;
  }

  move(presses: readonly Press[], scene: ThingsScene): void {
    const press = presses.at(-1);
    const { gesture } = this;
    if (press === undefined) return;
    const place = clampInside(toPicture(scene.view, press.at), scene.picture);
    if (gesture.kind === "pressed" && distance(gesture.press.at, press.at) >= stillness(press)) {
      this.gesture = pull(gesture.press, gesture.grip, scene);
    }
    const now = this.gesture;
    if (now.kind === "pulling") this.gesture = { ...now, pulled: pulledTo(now, press, scene) };
    else if (now.kind === "boxing") this.gesture = { ...now, to: place };
    else if (now.kind === "brush") this.stroke(now, presses, scene);
    else if (now.kind === "lasso") {
      const more = presses.map(({ at }) => clampInside(toPicture(scene.view, at), scene.picture));
      this.gesture = { ...now, line: [...now.line, ...more] };
    }
  }

  up(press: Press, scene: ThingsScene): void {
    this.move([press], scene);
    const done = this.gesture;
    this.gesture = NONE;
    if (done.kind === "pulling") {
      this.act({ do: "place", ...done.pulled, label: LABELS[done.grip.kind] });
    } else if (done.kind === "pressed" && isClick(done, press, scene)) {
      const at = clampInside(toPicture(scene.view, press.at), scene.picture);
      this.act({ do: "click", at, joining: joiningOf(done.press) });
    } else if (done.kind === "boxing") {
      const { from, to, joining } = done;
      if (Math.min(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])) >= 3) {
        this.act({ do: "box", from, to, joining });
      } else if (joining === "new") this.act({ do: "select", index: null });
    } else if (done.kind === "lasso") {
      const { line, joining } = done;
      if (line.length > 2) this.act({ do: "lasso", line, joining });
    } else if (done.kind === "brush") {
      this.act({ do: "brush", dabs: done.path.finish(), joining: done.joining, done: true });
    }
  }

  /** False when there was nothing to cancel. */
  drop(): boolean {
    const busy = this.gesture.kind !== "none";
    this.gesture = NONE;
    return busy;
  }

  private stroke(
    { path, joining }: Gesture & { kind: "brush" },
    presses: readonly Press[],
    scene: ThingsScene,
  ): void {
    const dabs = presses.flatMap((press) => {
      const [x, y] = toPicture(scene.view, press.at);
      return path.add({ x, y, radius: dabRadius(scene.brush, press.pressure, press.pointer === "pen") });
    });
    this.act({ do: "brush", dabs, joining, done: false });
  }
}

/** It met no thing, and the hand stayed where it was. */
function isClick(
  { press: from, grip }: Gesture & { kind: "pressed" },
  press: Press,
  scene: ThingsScene,
): boolean {
  const isOfPicture = grip.kind === "picture" || grip.kind === "around";
  return isOfPicture && scene.action === "click" && distance(from.at, press.at) < stillness(press);
}

function begun(press: Press, { view, picture, action }: ThingsScene, joining: Joining): Gesture {
  const from = clampInside(toPicture(view, press.at), picture);
  if (action === "box") return { kind: "boxing", from, to: from, joining };
  if (action === "lasso") return { kind: "lasso", line: [from], joining };
  if (action === "brush") return { kind: "brush", path: new StrokePath(), joining };
  return { kind: "pressed", press, grip: { kind: "picture" } };
}

function pull(press: Press, grip: ThingGrip, scene: ThingsScene): Gesture {
  const index = "index" in grip ? grip.index : scene.selected;
  const thing = scene.things[index ?? -1];
  if (grip.kind === "picture" || !scene.movable || index === null || thing === undefined)
    return { kind: "pressed", press, grip };
  return {
    kind: "pulling",
    from: toPicture(scene.view, press.at),
    grip,
    pulled: { index, placing: thing.placing },
  };
}

function pulledTo(gesture: Gesture & { kind: "pulling" }, press: Press, scene: ThingsScene): Pulled {
  const { from, grip, pulled } = gesture;
  const thing = scene.things[pulled.index];
  const bounds = thing?.selection.bounds;
  if (thing === undefined || !bounds) return pulled;
  const [start, pivot, place] = [thing.placing, thing.selection.middle, toPicture(scene.view, press.at)];
  const { index } = pulled;
  if (grip.kind === "corner")
    return { index, placing: resized(start, bounds, grip.corner, place, press.alt) };
  if (grip.kind === "turn") return { index, placing: turnedBy(start, pivot, from, place, press.shift) };
  const by: XY = [place[0] - from[0], place[1] - from[1]];
  return { index, placing: moved(start, by, pivot, scene.picture, press.shift) };
}
