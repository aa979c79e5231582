/**
 * The gestures on boxes, without a screen.
 *
 * A pull draws a box, moves one by its inside or resizes it by its edges and corners; a click chooses one.
 */

import { contains, freeBoxBetween, knobOf, movedFreeBox, PULLS, type Pull, pulledBox } from "./free-box";
import { type Press, stillness } from "./gestures";
import type { BoxMark, CropBox, XY } from "./model";
import { distance, isInside, type Size, toPicture, type View } from "./viewport";

export interface BoxScene {
  readonly view: View;
  readonly picture: Size;
  readonly boxes: readonly BoxMark[];
  /** Place of the selected box among them. */
  readonly selected: number | null;
}

export type BoxAction =
  | { readonly do: "select"; readonly index: number | null }
  /** No index for a new one. */
  | { readonly do: "box"; readonly index: number | null; readonly box: CropBox };

export type BoxGrip =
  | { readonly kind: "knob"; readonly index: number; readonly pull: Pull }
  | { readonly kind: "inside"; readonly index: number }
  | { readonly kind: "picture" };

/** A box as it looks while a gesture goes on. */
export interface PulledBox {
  readonly index: number | null;
  readonly box: CropBox;
}

type Gesture =
  | { readonly kind: "none" }
  | { readonly kind: "pressed"; readonly press: Press; readonly grip: BoxGrip }
  | {
      readonly kind: "pulling";
      readonly index: number | null;
      readonly box: CropBox;
      readonly at: (place: XY) => CropBox;
    };

const NONE: Gesture = { kind: "none" };
const REACH = 10;
const REACH_OF_A_FINGER = 22;

/** Measured from the picture's top left edge. */
function placeOn(view: View, at: XY): XY {
  const [x, y] = toPicture(view, at);
  return [x + 0.5, y + 0.5];
}

/** The selected box comes first, then the smallest; null beside the picture. */
export function boxGripAt(scene: BoxScene, press: Pick<Press, "at" | "pointer">): BoxGrip | null {
  const { view, picture, boxes, selected } = scene;
  const place = placeOn(view, press.at);
  const reach = (press.pointer === "touch" ? REACH_OF_A_FINGER : REACH) / view.scale;
  for (const index of byNearness(boxes, selected)) {
    const box = boxes[index]?.box;
    const pull = box && PULLS.find((each) => distance(knobOf(box, each), place) <= reach);
    if (pull) return { kind: "knob", index, pull };
    if (box && contains(box, place)) return { kind: "inside", index };
  }
  return isInside(toPicture(view, press.at), picture) ? { kind: "picture" } : null;
}

function byNearness(boxes: readonly BoxMark[], selected: number | null): readonly number[] {
  const area = (index: number) => {
    const box = boxes[index]?.box;
    return index === selected || !box ? 0 : box[2] * box[3];
  };
  return boxes.map((_, index) => index).sort((a, b) => area(a) - area(b));
}

export class BoxGestures {
  private gesture: Gesture = NONE;

  constructor(private readonly act: (action: BoxAction) => void) {}

  /** Null between gestures. */
  get pulled(): PulledBox | null {
    return this.gesture.kind === "pulling" ? this.gesture : null;
  }

  /** False when the press is beside the picture, so that it may pan. */
  down(press: Press, scene: BoxScene): boolean {
    const grip = press.second ? null : boxGripAt(scene, press);
    if (grip === null) return false;
    this.gesture = { kind: "pressed", press, grip };
    if (grip.kind !== "picture") this.act({ do: "select", index: grip.index });
    return true;
  }

  move(presses: readonly Press[], scene: BoxScene): void {
    const press = presses.at(-1);
    if (press === undefined) return;
    const { gesture } = this;
    if (gesture.kind === "pressed" && distance(gesture.press.at, press.at) >= stillness(press)) {
      this.gesture = begun(gesture.press, gesture.grip, scene);
    }
    if (this.gesture.kind === "pulling") {
      this.gesture = { ...this.gesture, box: this.gesture.at(placeOn(scene.view, press.at)) };
    }
  }

  up(press: Press, scene: BoxScene): void {
    this.move([press], scene);
    const done = this.gesture;
    this.gesture = NONE;
    if (done.kind === "pulling") this.act({ do: "box", index: done.index, box: done.box });
    else if (done.kind === "pressed" && done.grip.kind === "picture") this.act({ do: "select", index: null });
  }

  /** False when there was nothing to cancel. */
  drop(): boolean {
    const busy = this.gesture.kind !== "none";
    this.gesture = NONE;
    return busy;
  }
}

function begun(press: Press, grip: BoxGrip, { view, picture, boxes }: BoxScene): Gesture {
  const from = placeOn(view, press.at);
  if (grip.kind === "picture") {
    const at = (place: XY) => freeBoxBetween(from, place, picture);
    return { kind: "pulling", index: null, box: at(from), at };
  }
  const start = boxes[grip.index]?.box;
  if (start === undefined) return NONE;
  const at = (place: XY) =>
    grip.kind === "knob"
      ? pulledBox(start, grip.pull, place, picture)
      : movedFreeBox(start, place[0] - from[0], place[1] - from[1], picture);
  return { kind: "pulling", index: grip.index, box: start, at };
}
