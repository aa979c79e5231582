/** Brings the gestures on boxes to the model. */

import { type BoxAction, BoxGestures, type BoxScene, boxGripAt, type PulledBox } from "./box-gestures";
import { grownBox, movedFreeBox, type Pull } from "./free-box";
import { GestureHand } from "./gesture-hand";
import type { Press } from "./gestures";

/** Arrow keys move by this share of the picture's longer side. */
const NUDGE = 1 / 128;

export class BoxTool extends GestureHand<BoxScene> {
  protected readonly gestures = new BoxGestures((action) => this.act(action));
  /** Where the arrow keys have brought a box; told to the model when the key is let go. */
  private nudged: PulledBox | null = null;

  /** The box as it looks now, where it is not as in the model. */
  get pulled(): PulledBox | null {
    return this.gestures.pulled ?? this.nudged;
  }

  /** Moves the selected box, or its right and bottom edge; false when there is none. */
  nudge(across: number, down: number, resize: boolean): boolean {
    const scene = this.scene();
    const index = scene?.selected ?? null;
    if (scene === null || index === null) return false;
    const box = this.nudged?.box ?? scene.boxes[index]?.box;
    if (box === undefined) return false;
    const { picture } = scene;
    const length = Math.max(1, Math.round(Math.max(picture.width, picture.height) * NUDGE));
    const next = resize ? grownBox : movedFreeBox;
    this.nudged = { index, box: next(box, across * length, down * length, picture) };
    this.changed();
    return true;
  }

  finishNudge(): void {
    const done = this.nudged;
    this.nudged = null;
    if (done !== null) this.model.changeBox(done.index, done.box);
  }

  cursorAt(press: Press): string {
    const scene = this.scene();
    const grip = scene === null ? null : boxGripAt(scene, press);
    if (grip === null) return "grab";
    if (grip.kind === "knob") return cursorOf(grip.pull);
    return grip.kind === "inside" ? "move" : "crosshair";
  }

  protected scene(): BoxScene | null {
    const [around, boxes] = [this.surroundings(), this.model.boxes.peek()];
    if (around === null || boxes === null || !this.model.editable.peek()) return null;
    return { ...around, boxes, selected: this.model.box.peek() };
  }

  private act(action: BoxAction): void {
    if (action.do === "select") this.model.box.value = action.index;
    else this.model.changeBox(action.index, action.box);
  }
}

function cursorOf([across, down]: Pull): string {
  if (across === 0) return "ns-resize";
  if (down === 0) return "ew-resize";
  return across === down ? "nwse-resize" : "nesw-resize";
}
