/** Brings the gestures on things to the model. */

import { GestureHand } from "./gesture-hand";
import type { Press } from "./gestures";
import { moved } from "./placing";
import { Selection } from "./selection";
import {
  type Joining,
  type Pulled,
  type ThingsAct,
  ThingsGestures,
  type ThingsScene,
  thingGripAt,
} from "./things-gestures";

export class ThingsTool extends GestureHand<ThingsScene> {
  readonly gestures = new ThingsGestures((act) => this.act(act));
  /** What a stroke makes of the chosen thing, or a thing of its own. */
  painted: Selection | null = null;
  /** Where the arrow keys have brought a thing; told to the model when the key is let go. */
  private nudged: Pulled | null = null;

  /** The thing as it looks now, where it is not as in the model. */
  get pulled(): Pulled | null {
    return this.gestures.pulled ?? this.nudged;
  }

  /** False when there was nothing to cancel. */
  override cancel(): boolean {
    this.painted = null;
    return super.cancel();
  }

  /** Moves the chosen thing; false when there is none. */
  nudge(dx: number, dy: number): boolean {
    const scene = this.scene();
    const index = scene?.selected ?? null;
    const thing = scene?.things[index ?? -1];
    if (!scene?.movable || index === null || thing === undefined) return false;
    const start = this.nudged?.placing ?? thing.placing;
    this.nudged = { index, placing: moved(start, [dx, dy], thing.selection.middle, scene.picture) };
    this.changed();
    return true;
  }

  finishNudge(): void {
    const done = this.nudged;
    this.nudged = null;
    if (done !== null) this.model.placeThing(done.index, done.placing, "Move");
  }

  /** Number of the thing at a place. */
  thingAt(press: Press): number | null {
    const scene = this.scene();
    const grip = scene && thingGripAt(scene, press);
    return grip?.kind === "inside" ? grip.index : null;
  }

  cursorAt(press: Press): string {
    const scene = this.scene();
    if (scene === null) return "grab";
    const selects = press.shift || press.alt;
    const grip = thingGripAt(scene, press);
    if (selects && scene.action !== "move") return grip === null ? "grab" : "crosshair";
    if (grip === null || (grip.kind === "picture" && scene.action === "move")) return "grab";
    if (grip.kind === "corner") return grip.corner % 2 === 0 ? "nwse-resize" : "nesw-resize";
    if (grip.kind === "turn") return "alias";
    if (grip.kind === "picture") return "crosshair";
    return scene.movable ? "move" : "pointer";
  }

  protected scene(): ThingsScene | null {
    const [around, things] = [this.surroundings(), this.model.things.peek()];
    if (around === null || things === null || !this.model.editable.peek()) return null;
    return {
      ...around,
      things: things.all,
      selected: this.model.thing.peek(),
      action: things.selects ? this.model.thingAction.peek() : "move",
      movable: things.movable,
      brush: this.model.brush.peek().size,
    };
  }

  private act(act: ThingsAct): void {
    const { model } = this;
    if (act.do === "select") model.thing.value = act.index;
    else if (act.do === "place") model.placeThing(act.index, act.placing, act.label);
    else if (act.do === "click") model.selectAt(act.at, act.joining);
    else if (act.do === "box") model.selectBox(act.from, act.to, act.joining);
    else if (act.do === "brush") this.paint(act);
    else {
      const picture = this.surroundings()?.picture;
      if (picture) model.select(Selection.within(act.line, picture), act.joining);
    }
  }

  /** A stroke goes on with the chosen thing; with Shift it begins one of its own only where none is chosen. */
  private paint({ dabs, joining, done }: ThingsAct & { do: "brush" }): void {
    const picture = this.surroundings()?.picture;
    if (picture === undefined) return;
    const chosen = this.model.things.peek()?.all[this.model.thing.peek() ?? -1]?.selection;
    this.painted ??= new Selection(picture).with(chosen ?? null);
    const erases = (joining === "subtract") !== this.model.brush.peek().erase;
    this.painted.paint(dabs, erases ? "stay" : "change");
    if (!done) return;
    const made = this.painted;
    this.painted = null;
    const how: Joining = chosen ? "replace" : "new";
    this.model.select(made, how);
  }
}
