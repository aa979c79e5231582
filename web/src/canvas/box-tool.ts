/** Brings the gestures on boxes to the model. */

import { type BoxAction, BoxGestures, type BoxScene, boxGripAt, type PulledBox } from "./box-gestures";
import { grownBox, movedFreeBox, type Pull } from "./free-box";
import type { Press } from "./gestures";
import type { CanvasModel } from "./model";
import type { Surroundings } from "./point-tool";
import type { Hand } from "./pointers";

/** Arrow keys move by this share of the picture's longer side. */
const NUDGE = 1 / 128;

export class BoxTool implements Hand {
  private readonly gestures = new BoxGestures((action) => this.act(action));
  /** Where the arrow keys have brought a box; told to the model when the key is let go. */
  private nudged: PulledBox | null = null;

  constructor(
    private readonly model: CanvasModel,
    private readonly surroundings: () => Surroundings | null,
    private readonly changed: () => void,
  ) {}

  /** The box as it looks now, where it is not as in the model. */
  get pulled(): PulledBox | null {
    return this.gestures.pulled ?? this.nudged;
  }

  down(press: Press): boolean {
    const scene = this.scene();
    const taken = scene !== null && this.gestures.down(press, scene);
    this.changed();
    return taken;
  }

  move(presses: readonly Press[]): void {
    const [scene, press] = [this.scene(), presses.at(-1)];
    if (scene === null || press === undefined) return;
    this.gestures.move(press, scene);
    this.changed();
  }

  up(press: Press): void {
    const scene = this.scene();
    if (scene === null) this.gestures.drop();
    else this.gestures.up(press, scene);
    this.changed();
  }

  drop(): void {
    this.cancel();
  }

  /** False when there was nothing to cancel. */
  cancel(): boolean {
    const busy = this.gestures.drop();
    this.changed();
    return busy;
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

  private scene(): BoxScene | null {
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
