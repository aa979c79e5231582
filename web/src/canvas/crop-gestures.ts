/**
 * The gestures on the crop of a photo, without a screen.
 *
 * A click chooses a face; a pull draws a box, moves it by its inside or resizes it by a corner.
 */

import { boxBetween, type Corner, cornersOf, isWithin, movedBox } from "./crop-box";
import { type Press, stillness } from "./gestures";
import type { CropBox, CropShown, XY } from "./model";
import { distance, isInside, type Size, toPicture, type View } from "./viewport";

export interface CropScene {
  readonly view: View;
  readonly picture: Size;
  readonly crop: CropShown;
}

export type CropAction =
  | { readonly do: "choose"; readonly face: number }
  | { readonly do: "box"; readonly box: CropBox; readonly label: string };

type Gesture =
  | { readonly kind: "none" }
  | { readonly kind: "pressed"; readonly press: Press; readonly grip: CropGrip }
  | { readonly kind: "moving"; readonly from: XY; readonly start: CropBox; readonly box: CropBox }
  | { readonly kind: "pulling"; readonly anchor: XY; readonly box: CropBox; readonly label: string };

/** What of the crop lies under the pointer. */
export type CropGrip =
  | { readonly kind: "corner"; readonly corner: Corner; readonly box: CropBox }
  | { readonly kind: "box"; readonly box: CropBox }
  | { readonly kind: "face"; readonly face: number }
  | { readonly kind: "photo" };

const NONE: Gesture = { kind: "none" };
const REACH = 12;
const REACH_OF_A_FINGER = 24;

/** Measured from the photo's top left edge. */
function placeOn(view: View, at: XY): XY {
  const [x, y] = toPicture(view, at);
  return [x + 0.5, y + 0.5];
}

/** Null beside the photo and its box. */
export function cropGripAt(scene: CropScene, press: Pick<Press, "at" | "pointer">): CropGrip | null {
  const { crop, view, picture } = scene;
  const place = placeOn(view, press.at);
  if (crop.box !== null) {
    const reach = (press.pointer === "touch" ? REACH_OF_A_FINGER : REACH) / view.scale;
    const corner = cornersOf(crop.box).findIndex((each) => distance(each, place) <= reach);
    if (corner >= 0) return { kind: "corner", corner: corner as Corner, box: crop.box };
    if (isWithin(place, cornersOf(crop.box))) return { kind: "box", box: crop.box };
  }
  const face = crop.faces.findLastIndex((corners) => isWithin(place, corners));
  if (face >= 0) return { kind: "face", face };
  return isInside(toPicture(view, press.at), picture) ? { kind: "photo" } : null;
}

export class CropGestures {
  private gesture: Gesture = NONE;

  constructor(private readonly act: (action: CropAction) => void) {}

  /** The box as it looks while a gesture goes on; null between gestures. */
  get box(): CropBox | null {
    return this.gesture.kind === "moving" || this.gesture.kind === "pulling" ? this.gesture.box : null;
  }

  /** False when the press is beside the photo, so that it may pan. */
  down(press: Press, scene: CropScene): boolean {
    const grip = press.second ? null : cropGripAt(scene, press);
    if (grip === null) return false;
    this.gesture = { kind: "pressed", press, grip };
    return true;
  }

  move(presses: readonly Press[], scene: CropScene): void {
    const press = presses.at(-1);
    if (press === undefined) return;
    if (this.gesture.kind === "pressed" && distance(this.gesture.press.at, press.at) >= stillness(press)) {
      this.gesture = begun(this.gesture.press, this.gesture.grip, scene);
    }
    const place = placeOn(scene.view, press.at);
    const { gesture } = this;
    if (gesture.kind === "moving") {
      const [dx, dy] = [place[0] - gesture.from[0], place[1] - gesture.from[1]];
      this.gesture = { ...gesture, box: movedBox(gesture.start, dx, dy, scene.picture) };
    } else if (gesture.kind === "pulling") {
      this.gesture = { ...gesture, box: boxBetween(gesture.anchor, place, scene.picture) };
    }
  }

  up(press: Press, scene: CropScene): void {
    this.move([press], scene);
    const done = this.gesture;
    this.gesture = NONE;
    if (done.kind === "moving") this.act({ do: "box", box: done.box, label: "Move box" });
    else if (done.kind === "pulling") this.act({ do: "box", box: done.box, label: done.label });
    else if (done.kind === "pressed") this.click(done.press, scene);
  }

  /** False when there was nothing to cancel. */
  drop(): boolean {
    const busy = this.gesture.kind !== "none";
    this.gesture = NONE;
    return busy;
  }

  /** A box over a face keeps the click to itself only where there is no face below. */
  private click(press: Press, scene: CropScene): void {
    const grip = cropGripAt({ ...scene, crop: { ...scene.crop, box: null } }, press);
    if (grip?.kind === "face") this.act({ do: "choose", face: grip.face });
  }
}

function begun(press: Press, grip: CropGrip, { view, picture }: CropScene): Gesture {
  const from = placeOn(view, press.at);
  if (grip.kind === "box") return { kind: "moving", from, start: grip.box, box: grip.box };
  if (grip.kind === "corner") {
    const anchor = cornersOf(grip.box)[((grip.corner + 2) % 4) as Corner];
    return { kind: "pulling", anchor, box: grip.box, label: "Resize box" };
  }
  return { kind: "pulling", anchor: from, box: boxBetween(from, from, picture), label: "Draw box" };
}
