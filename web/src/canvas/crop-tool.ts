/** Brings the gestures on the crop to the model. */

import { movedBox } from "./crop-box";
import { type CropAction, CropGestures, type CropScene, cropGripAt } from "./crop-gestures";
import { GestureHand } from "./gesture-hand";
import type { Press } from "./gestures";
import type { CropBox } from "./model";

const CURSORS = { corner: "nwse-resize", box: "move", face: "pointer", photo: "crosshair" } as const;

export class CropTool extends GestureHand<CropScene> {
  protected readonly gestures = new CropGestures((action) => this.act(action));
  /** Where the arrow keys have moved the box; told to the model when the key is let go. */
  private nudged: CropBox | null = null;

  /** The box as it looks now, where it is not the model's. */
  get box(): CropBox | null {
    return this.gestures.box ?? this.nudged;
  }

  /** Moves the box; false when there is none. */
  nudge(dx: number, dy: number): boolean {
    const scene = this.scene();
    const box = this.nudged ?? scene?.crop.box ?? null;
    if (scene === null || box === null) return false;
    this.nudged = movedBox(box, dx, dy, scene.picture);
    this.changed();
    return true;
  }

  finishNudge(): void {
    const box = this.nudged;
    this.nudged = null;
    if (box !== null) this.model.changeCrop({ box }, "Move box");
  }

  cursorAt(press: Press): string {
    const scene = this.scene();
    const grip = scene === null ? null : cropGripAt(scene, press);
    if (grip?.kind === "corner" && grip.corner % 2 === 1) return "nesw-resize";
    return grip === null ? "grab" : CURSORS[grip.kind];
  }

  protected scene(): CropScene | null {
    const [around, crop] = [this.surroundings(), this.model.crop.peek()];
    return around === null || crop === null || !this.model.editable.peek() ? null : { ...around, crop };
  }

  private act(action: CropAction): void {
    if (action.do === "choose")
      this.model.changeCrop({ face: action.face }, `Choose face ${action.face + 1}`);
    else this.model.changeCrop({ box: action.box }, action.label);
  }
}
