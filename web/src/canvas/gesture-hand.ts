/** The hand of a tool whose gestures are decided elsewhere: it brings presses to them, with what is there to be gripped. */

import type { Press } from "./gestures";
import type { CanvasModel } from "./model";
import type { Surroundings } from "./point-tool";
import type { Hand } from "./pointers";

/** What becomes of presses; those of a move are all since the last time, newest last. */
export interface Gestures<Scene> {
  down(press: Press, scene: Scene): boolean;
  move(presses: readonly Press[], scene: Scene): void;
  up(press: Press, scene: Scene): void;
  /** False when there was nothing to drop. */
  drop(): boolean;
}

export abstract class GestureHand<Scene> implements Hand {
  protected abstract readonly gestures: Gestures<Scene>;

  constructor(
    protected readonly model: CanvasModel,
    protected readonly surroundings: () => Surroundings | null,
    protected readonly changed: () => void,
  ) {}

  /** What can be gripped now; null for nothing. */
  protected abstract scene(): Scene | null;

  down(press: Press): boolean {
    const scene = this.scene();
    const taken = scene !== null && this.gestures.down(press, scene);
    this.changed();
    return taken;
  }

  move(presses: readonly Press[]): void {
    const scene = this.scene();
    if (scene === null) return;
    this.gestures.move(presses, scene);
    this.changed();
  }

  up(press: Press): void {
    const scene = this.scene();
    if (scene === null) this.cancel();
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
}
