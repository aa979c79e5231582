/** What of the points lies under the pointer. */

import type { PointMark, XY } from "./model";
import { distance, toScreen, type View } from "./viewport";

export type End = "handle" | "target";

export type Grip =
  | { readonly kind: "end"; readonly point: number; readonly end: End }
  | { readonly kind: "better"; readonly point: number; readonly place: XY }
  | { readonly kind: "pending" };

export interface Grippable {
  readonly view: View;
  readonly points: readonly PointMark[];
  readonly pending: XY | null;
  readonly selected: number | null;
  readonly better: readonly { readonly point: number; readonly place: XY }[];
}

const REACH = 12;
const REACH_OF_A_FINGER = 24;

/** Of two that are as near, the selected point's wins, and a target wins over a handle. */
const PREFERENCE = 0.5;

/** The nearest grip within reach of a screen place. */
export function gripAt(scene: Grippable, at: XY, touch: boolean): Grip | null {
  let nearest: Grip | null = null;
  let reach = touch ? REACH_OF_A_FINGER : REACH;
  const consider = (grip: Grip, place: XY, preference = 0) => {
    const far = distance(toScreen(scene.view, place), at) - preference;
    if (far <= reach) {
      reach = far;
      nearest = grip;
    }
  };
  for (const { point, place } of scene.better) {
    consider({ kind: "better", point, place }, place);
  }
  scene.points.forEach((mark, point) => {
    const preference = point === scene.selected ? 2 * PREFERENCE : 0;
    consider({ kind: "end", point, end: "handle" }, mark.handle, preference);
    consider({ kind: "end", point, end: "target" }, mark.target, preference + PREFERENCE);
  });
  if (scene.pending !== null) {
    consider({ kind: "pending" }, scene.pending);
  }
  return nearest;
}

export function sameGrip(a: Grip | null, b: Grip | null): boolean {
  if (a === null || b === null || a.kind === "pending" || b.kind === "pending") {
    return a?.kind === b?.kind;
  }
  return (
    a.point === b.point && a.kind === b.kind && (a.kind !== "end" || b.kind !== "end" || a.end === b.end)
  );
}
