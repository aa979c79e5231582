/** The line between two pictures that are compared; dragged, or moved by the arrow keys. */

import type { Signal } from "@preact/signals";
import type { Placement } from "./placement";
import { clamp } from "./viewport";

const STEP = 0.01;
const LONG_STEP = 0.1;

export class Divider {
  readonly element = document.createElement("div");
  private placement: Placement | null = null;

  constructor(private readonly split: Signal<number>) {
    const { element } = this;
    element.className = "canvas-divider";
    element.tabIndex = 0;
    element.dataset.testid = "compare-divider";
    element.setAttribute("role", "slider");
    element.setAttribute("aria-label", "Share of the picture that shows the one compared with");
    element.setAttribute("aria-valuemin", "0");
    element.setAttribute("aria-valuemax", "100");
    const knob = document.createElement("span");
    knob.className = "canvas-divider-knob";
    element.append(knob);
    element.addEventListener("pointerdown", this.grab);
    element.addEventListener("pointermove", this.drag);
    element.addEventListener("keydown", this.key);
  }

  show(visible: boolean): void {
    this.element.hidden = !visible;
  }

  place(placement: Placement): void {
    this.placement = placement;
    const { view, picture, box } = placement;
    const top = clamp(view.y, 0, box.height);
    const bottom = clamp(view.y + picture.height * view.scale, 0, box.height);
    const { style } = this.element;
    style.transform = `translate(${view.x + this.split.peek() * picture.width * view.scale}px, ${top}px)`;
    style.height = `${bottom - top}px`;
    this.element.setAttribute("aria-valuenow", String(Math.round(this.split.peek() * 100)));
  }

  private readonly grab = (event: PointerEvent) => {
    if (event.button !== 0) {
      return;
    }
    event.stopPropagation();
    this.element.setPointerCapture(event.pointerId);
    this.element.focus({ preventScroll: true });
    event.preventDefault();
  };

  private readonly drag = (event: PointerEvent) => {
    const host = this.element.parentElement;
    if (!this.element.hasPointerCapture(event.pointerId) || this.placement === null || host === null) {
      return;
    }
    event.stopPropagation();
    const { view, picture } = this.placement;
    const x = event.clientX - host.getBoundingClientRect().left;
    this.split.value = clamp((x - view.x) / (picture.width * view.scale), 0, 1);
  };

  private readonly key = (event: KeyboardEvent) => {
    const step = event.shiftKey ? LONG_STEP : STEP;
    const places: Record<string, number> = {
      ArrowLeft: this.split.peek() - step,
      ArrowDown: this.split.peek() - step,
      ArrowRight: this.split.peek() + step,
      ArrowUp: this.split.peek() + step,
      Home: 0,
      End: 1,
    };
    const place = places[event.key];
    if (place !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      this.split.value = clamp(place, 0, 1);
    }
  };
}
