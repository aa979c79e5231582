/** Mouse, pen and fingers on the host: they pan, pinch or go to the hand of the tool. */

import { isDoubleClick, type Press, stillness } from "./gestures";
import type { XY } from "./model";
import { distance } from "./viewport";
import { type Turn, type WheelMeaning, wheelMeaning, wheelPixels, zoomFactor } from "./wheel";

/** What a tool does with the pointer. */
export interface Hand {
  /** False leaves the press to panning. */
  down(press: Press): boolean;
  /** All that happened since the last time, newest last. */
  move(presses: readonly Press[]): void;
  up(press: Press): void;
  /** What was begun is not meant. */
  drop(): void;
}

export interface Desk {
  /** The hand of the tool, null for panning. */
  hand(): Hand | null;
  hover(press: Press | null): void;
  panBy(dx: number, dy: number): void;
  zoomBy(factor: number, at: XY): void;
  pinch(from: readonly [XY, XY], to: readonly [XY, XY]): void;
  /** A click that met nothing. */
  clickedNothing(): void;
  fit(): void;
}

/** Whether the pointer pans, would pan as the space bar is held, or does what the tool does. */
export type PointerState = "pans" | "would pan" | "works";

type Activity =
  | { readonly kind: "none" }
  | { readonly kind: "hand"; readonly id: number; readonly hand: Hand }
  | { readonly kind: "pan"; readonly id: number; readonly from: Press; at: XY; moved: boolean }
  | { readonly kind: "pinch" };

const NONE: Activity = { kind: "none" };
const WHEEL_SERIES_MS = 250;

export class Pointers {
  /** The space bar is held: whatever the tool, the pointer pans. */
  panning = false;
  private activity: Activity = NONE;
  private readonly fingers = new Map<number, XY>();
  private lastClick: Press | null = null;
  private wheel: { meaning: WheelMeaning; time: number } | null = null;
  private readonly listening = new AbortController();

  constructor(
    private readonly host: HTMLElement,
    private readonly desk: Desk,
  ) {
    const { signal } = this.listening;
    host.addEventListener("pointerdown", (event) => this.down(event), { signal });
    host.addEventListener("pointermove", (event) => this.move(event), { signal });
    host.addEventListener("pointerup", (event) => this.up(event), { signal });
    host.addEventListener("pointercancel", (event) => this.lose(event), { signal });
    host.addEventListener("pointerleave", () => this.desk.hover(null), { signal });
    host.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
    host.addEventListener("wheel", (event) => this.turn(event), { signal, passive: false });
  }

  get state(): PointerState {
    return this.activity.kind === "pan" ? "pans" : this.panning ? "would pan" : "works";
  }

  stop(): void {
    this.listening.abort();
  }

  private down(event: PointerEvent): void {
    const press = this.pressOf(event);
    if (event.pointerType === "touch" && !this.putFinger(event, press)) {
      return;
    }
    if (this.activity.kind !== "none") {
      return;
    }
    this.host.setPointerCapture(event.pointerId);
    if (event.button === 1) {
      event.preventDefault();
    }
    const hand = event.button === 1 || this.panning ? null : this.desk.hand();
    if (press.second) {
      hand?.down(press);
    } else if (hand?.down(press)) {
      this.activity = { kind: "hand", id: event.pointerId, hand };
    } else {
      this.activity = { kind: "pan", id: event.pointerId, from: press, at: press.at, moved: false };
    }
    this.desk.hover(press);
  }

  /** False when the finger is not for the tool: one of two that pinch, or a palm beside the pen. */
  private putFinger(event: PointerEvent, press: Press): boolean {
    if (this.activity.kind === "hand" && !this.fingers.has(this.activity.id)) {
      return false;
    }
    this.fingers.set(event.pointerId, press.at);
    if (this.fingers.size === 2) {
      this.dropHand();
      this.host.setPointerCapture(event.pointerId);
      this.activity = { kind: "pinch" };
    }
    return this.fingers.size === 1;
  }

  private move(event: PointerEvent): void {
    const press = this.pressOf(event);
    const { activity } = this;
    if (activity.kind === "pinch") {
      this.pinch(event, press);
      return;
    }
    this.moveFinger(event, press);
    if (activity.kind === "hand" && activity.id === event.pointerId) {
      const events = event.getCoalescedEvents();
      activity.hand.move(events.length === 0 ? [press] : events.map((each) => this.pressOf(each)));
    } else if (activity.kind === "pan" && activity.id === event.pointerId) {
      this.pan(activity, press);
    }
    this.desk.hover(press);
  }

  private moveFinger(event: PointerEvent, press: Press): void {
    if (this.fingers.has(event.pointerId)) {
      this.fingers.set(event.pointerId, press.at);
    }
  }

  private pan(activity: Activity & { kind: "pan" }, press: Press): void {
    if (!activity.moved && distance(activity.from.at, press.at) < stillness(press)) {
      return;
    }
    activity.moved = true;
    this.desk.panBy(press.at[0] - activity.at[0], press.at[1] - activity.at[1]);
    activity.at = press.at;
  }

  private pinch(event: PointerEvent, press: Press): void {
    const before = this.twoFingers();
    this.moveFinger(event, press);
    const after = this.twoFingers();
    if (before !== null && after !== null) {
      this.desk.pinch(before, after);
    }
  }

  private twoFingers(): readonly [XY, XY] | null {
    const [first, second] = [...this.fingers.values()];
    return first === undefined || second === undefined ? null : [first, second];
  }

  private up(event: PointerEvent): void {
    const press = this.pressOf(event);
    const { activity } = this;
    this.fingers.delete(event.pointerId);
    if (activity.kind === "pinch") {
      this.activity = this.fingers.size === 0 ? NONE : activity;
    } else if (activity.kind !== "none" && activity.id === event.pointerId) {
      this.activity = NONE;
      if (activity.kind === "hand") {
        activity.hand.up(press);
      } else if (!activity.moved && event.button === 0) {
        this.click(press);
      }
    }
    this.desk.hover(event.pointerType === "touch" ? null : press);
  }

  private lose(event: PointerEvent): void {
    this.fingers.delete(event.pointerId);
    const { activity } = this;
    if (activity.kind === "pinch") {
      this.activity = this.fingers.size === 0 ? NONE : activity;
    } else if (activity.kind !== "none" && activity.id === event.pointerId) {
      this.dropHand();
      this.activity = NONE;
    }
    this.desk.hover(null);
  }

  private dropHand(): void {
    if (this.activity.kind === "hand") {
      this.activity.hand.drop();
    }
  }

  private click(press: Press): void {
    const double = this.lastClick !== null && isDoubleClick(this.lastClick, press);
    this.lastClick = double ? null : press;
    if (double) {
      this.desk.fit();
    } else {
      this.desk.clickedNothing();
    }
  }

  private turn(event: WheelEvent & { readonly wheelDeltaY?: number }): void {
    event.preventDefault();
    const turn: Turn = event;
    const goesOn =
      this.wheel !== null && event.timeStamp - this.wheel.time < WHEEL_SERIES_MS && !turn.ctrlKey;
    const meaning = goesOn && this.wheel !== null ? this.wheel.meaning : wheelMeaning(turn);
    this.wheel = turn.ctrlKey ? null : { meaning, time: event.timeStamp };
    if (meaning === "zoom" && !event.shiftKey) {
      this.desk.zoomBy(zoomFactor(turn), this.placeOf(event));
      return;
    }
    const across = wheelPixels(
      event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX,
      event.deltaMode,
    );
    this.desk.panBy(-across, event.shiftKey ? 0 : -wheelPixels(event.deltaY, event.deltaMode));
  }

  private placeOf(event: MouseEvent): XY {
    const edge = this.host.getBoundingClientRect();
    return [event.clientX - edge.left - this.host.clientLeft, event.clientY - edge.top - this.host.clientTop];
  }

  private pressOf(event: PointerEvent): Press {
    const pointer =
      event.pointerType === "touch" || event.pointerType === "pen" ? event.pointerType : "mouse";
    return {
      at: this.placeOf(event),
      pointer,
      pressure: event.pressure,
      second: event.button === 2,
      shift: event.shiftKey,
      alt: event.altKey,
      time: event.timeStamp,
    };
  }
}
