/** A pointer for those who use none: arrow keys move it over the picture, Enter presses there. */

import type { Press } from "./gestures";
import type { XY } from "./model";
import type { Surroundings } from "./point-tool";
import { clampInside, toScreen } from "./viewport";

export class Crosshair {
  readonly element = document.createElement("div");
  /** Where it is and what lies there, for screen readers. */
  readonly words = document.createElement("div");
  /** Held since Enter was. */
  shift = false;
  alt = false;
  private place: XY | null = null;

  constructor(private readonly surroundings: () => Surroundings | null) {
    this.element.className = "canvas-crosshair";
    this.words.className = "canvas-spot";
    this.words.setAttribute("aria-live", "polite");
    this.hide();
  }

  get isShown(): boolean {
    return !this.element.hidden;
  }

  hide(): void {
    this.element.hidden = true;
    this.words.textContent = "";
  }

  /** By pixels of the picture, at first from its middle; shows it. */
  move(dx: number, dy: number): void {
    const picture = this.surroundings()?.picture;
    if (picture === undefined) return;
    const [x, y] = this.place ?? [picture.width / 2, picture.height / 2];
    this.place = clampInside([Math.round(x + dx), Math.round(y + dy)], picture);
    this.element.hidden = false;
  }

  /** What a mouse would be there; null while it is not shown. */
  press(): Press | null {
    const { shift, alt } = this;
    const around = this.surroundings();
    if (!this.isShown || this.place === null || around === null) return null;
    const at = toScreen(around.view, clampInside(this.place, around.picture));
    this.element.style.transform = `translate(${at[0]}px, ${at[1]}px)`;
    // no press of it is one of two clicks
    return { at, pointer: "mouse", pressure: 1, second: false, shift, alt, time: Number.NaN };
  }
}
