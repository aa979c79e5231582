/**
 * The gestures on points, without a screen: what a press, a move and a release come to.
 *
 * Click and click, or press and pull, make a point; an end that is pulled moves; Alt-click and double click delete.
 */

import { type End, type Grip, type Grippable, gripAt, sameGrip } from "./hit";
import type { PointMark, XY } from "./model";
import { clampInside, distance, isInside, type Size, toPicture } from "./viewport";

export interface Scene extends Grippable {
  readonly picture: Size;
  readonly editable: boolean;
}

/** One pointer event. */
export interface Press {
  /** Screen place. */
  readonly at: XY;
  readonly pointer: "mouse" | "pen" | "touch";
  /** 0 to 1; meaningful of a pen. */
  readonly pressure: number;
  /** The second button. */
  readonly second: boolean;
  readonly shift: boolean;
  readonly alt: boolean;
  /** Milliseconds. */
  readonly time: number;
}

export type Action =
  | { readonly do: "change"; readonly points: readonly PointMark[]; readonly label: string }
  | { readonly do: "select"; readonly point: number | null }
  | { readonly do: "pend"; readonly place: XY | null }
  | { readonly do: "fit" };

/** What is going on between press and release; the marks layer draws it. */
export type Gesture =
  | { readonly kind: "none" }
  | { readonly kind: "pressed"; readonly press: Press; readonly grip: Grip | null }
  | {
      readonly kind: "moving";
      readonly point: number;
      readonly end: End;
      readonly place: XY;
      readonly grab: XY;
    }
  | { readonly kind: "pulling"; readonly handle: XY; readonly target: XY };

const NONE: Gesture = { kind: "none" };
const STILL = 4;
const STILL_FINGER = 9;
const DOUBLE_CLICK_MS = 400;
const DOUBLE_CLICK_REACH = 16;

/** Screen pixels that a click may wander. */
export function stillness(press: Press): number {
  return press.pointer === "touch" ? STILL_FINGER : STILL;
}

/** The second of two clicks on about the same place. */
export function isDoubleClick(last: Press, press: Press): boolean {
  return press.time - last.time <= DOUBLE_CLICK_MS && distance(press.at, last.at) <= DOUBLE_CLICK_REACH;
}

export class PointGestures {
  gesture: Gesture = NONE;
  private lastClick: { press: Press; grip: Grip | null } | null = null;

  constructor(private readonly act: (action: Action) => void) {}

  /** False when the press is none of the points' business, so that it may pan. */
  down(press: Press, scene: Scene): boolean {
    const grip = gripAt(scene, press.at, press.pointer === "touch");
    if (grip?.kind === "end") {
      this.act({ do: "select", point: grip.point });
    }
    if (press.second) {
      return grip !== null;
    }
    if (!scene.editable || (grip === null && !isInside(toPicture(scene.view, press.at), scene.picture))) {
      return false;
    }
    this.gesture = { kind: "pressed", press, grip };
    return true;
  }

  move(press: Press, scene: Scene): void {
    if (this.gesture.kind === "pressed") {
      this.leaveThePress(this.gesture.press, this.gesture.grip, press, scene);
    }
    if (this.gesture.kind === "moving") {
      this.gesture = { ...this.gesture, place: movedEnd(this.gesture, press, scene) };
    } else if (this.gesture.kind === "pulling") {
      const { handle } = this.gesture;
      this.gesture = { kind: "pulling", handle, target: placeOf(press, scene, handle) };
    }
  }

  up(press: Press, scene: Scene): void {
    this.move(press, scene);
    const done = this.gesture;
    this.gesture = NONE;
    if (done.kind === "moving") {
      this.act({ do: "change", points: preview(scene.points, done), label: `Move ${done.end}` });
    } else if (done.kind === "pulling") {
      this.add(done.handle, done.target, scene);
    } else if (done.kind === "pressed") {
      this.click(press, done.grip, scene);
    }
  }

  /** Forget what is going on, and the handle that waits for its target; false when there was nothing. */
  cancel(scene: Scene): boolean {
    const busy = this.gesture.kind !== "none" || scene.pending !== null;
    this.gesture = NONE;
    if (scene.pending !== null) {
      this.act({ do: "pend", place: null });
    }
    return busy;
  }

  /** A second finger came: what the first began is not meant. */
  drop(): void {
    this.gesture = NONE;
  }

  private leaveThePress(from: Press, grip: Grip | null, press: Press, scene: Scene): void {
    if (distance(from.at, press.at) < stillness(press)) {
      return;
    }
    if (grip?.kind === "end") {
      const mark = scene.points[grip.point];
      if (mark === undefined) {
        return;
      }
      const pressed = toPicture(scene.view, from.at);
      const place = mark[grip.end];
      const grab: XY = [place[0] - pressed[0], place[1] - pressed[1]];
      this.gesture = { kind: "moving", point: grip.point, end: grip.end, place, grab };
    } else if (grip?.kind !== "better") {
      const handle = scene.pending ?? placeOf(from, scene, null);
      this.gesture = { kind: "pulling", handle, target: handle };
    }
  }

  private click(press: Press, grip: Grip | null, scene: Scene): void {
    const double = this.isDouble(press, grip);
    this.lastClick = double ? null : { press, grip };
    if (grip === null) {
      this.clickPicture(placeOf(press, scene, scene.pending), scene);
    } else if (grip.kind === "pending") {
      this.act({ do: "pend", place: null });
      if (double) {
        this.act({ do: "fit" });
      }
    } else if (grip.kind === "better") {
      this.act({ do: "change", points: withBetter(scene.points, grip), label: "Better handle" });
    } else if (press.alt || double) {
      this.remove(grip.point, scene);
    }
  }

  private clickPicture(place: XY, scene: Scene): void {
    if (scene.pending === null) {
      this.act({ do: "select", point: null });
      this.act({ do: "pend", place });
    } else {
      this.add(scene.pending, place, scene);
    }
  }

  /** Two clicks on one end, or a click on nothing and one on the handle that it made. */
  private isDouble(press: Press, grip: Grip | null): boolean {
    const last = this.lastClick;
    if (last === null || grip === null || !isDoubleClick(last.press, press)) {
      return false;
    }
    return sameGrip(last.grip, grip) || (last.grip === null && grip.kind === "pending");
  }

  private add(handle: XY, target: XY, scene: Scene): void {
    this.act({ do: "pend", place: null });
    this.act({
      do: "change",
      points: [...scene.points, { handle, target, locked: false }],
      label: "Add point",
    });
    this.act({ do: "select", point: scene.points.length });
  }

  private remove(point: number, scene: Scene): void {
    this.act({ do: "select", point: null });
    this.act({
      do: "change",
      points: scene.points.filter((_, index) => index !== point),
      label: "Delete point",
    });
  }
}

/** The points as they look while a gesture goes on. */
export function preview(points: readonly PointMark[], gesture: Gesture): readonly PointMark[] {
  if (gesture.kind !== "moving") {
    return points;
  }
  return points.map((mark, index) =>
    index === gesture.point ? { ...mark, [gesture.end]: gesture.place } : mark,
  );
}

function withBetter(points: readonly PointMark[], grip: { point: number; place: XY }): readonly PointMark[] {
  return points.map((mark, index) => (index === grip.point ? { ...mark, handle: grip.place } : mark));
}

function movedEnd(gesture: Gesture & { kind: "moving" }, press: Press, scene: Scene): XY {
  const [x, y] = toPicture(scene.view, press.at);
  const moved: XY = [x + gesture.grab[0], y + gesture.grab[1]];
  const mark = scene.points[gesture.point];
  const anchor = gesture.end === "target" ? mark?.handle : mark?.target;
  return clampInside(press.shift && anchor ? onAxis(moved, anchor) : moved, scene.picture);
}

function placeOf(press: Press, scene: Scene, anchor: XY | null): XY {
  const place = toPicture(scene.view, press.at);
  return clampInside(press.shift && anchor ? onAxis(place, anchor) : place, scene.picture);
}

/** Level with the anchor or straight above or below it, whichever is nearer. */
export function onAxis(place: XY, anchor: XY): XY {
  const across = Math.abs(place[0] - anchor[0]) >= Math.abs(place[1] - anchor[1]);
  return across ? [place[0], anchor[1]] : [anchor[0], place[1]];
}
