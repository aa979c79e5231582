/** The points in words, for screen readers. */

import type { Grip } from "./hit";
import type { BoxMark, PointMark, ThingMark, XY } from "./model";
import { isPlaced } from "./placing";

/** The things or boxes, where the mode takes some, else the points. */
export function describe(
  points: readonly PointMark[],
  pending: XY | null,
  boxes: readonly BoxMark[] | null = null,
  things: readonly ThingMark[] | null = null,
): string {
  if (things !== null)
    return things.length === 0 ? "Nothing is selected." : things.map(describeThing).join(" ");
  if (boxes !== null) return boxes.length === 0 ? "No boxes." : boxes.map(describeBox).join(" ");
  const sentences = points.map(
    (mark, index) =>
      `Point ${index + 1} from ${spoken(mark.handle)} to ${spoken(mark.target)}${mark.locked ? ", locked" : ""}.`,
  );
  if (pending !== null) {
    sentences.push(`Handle at ${spoken(pending)}; choose its target.`);
  }
  return sentences.length === 0 ? "No points." : sentences.join(" ");
}

/** Where the crosshair is, and on what. */
export function describeSpot(place: XY, grip: Grip | null, thing: number | null): string {
  if (grip?.kind === "end") return `${spoken(place)}: ${grip.end} of point ${grip.point + 1}.`;
  return `${spoken(place)}${thing === null ? "" : `: thing ${thing + 1}`}.`;
}

function describeBox({ number, text, box: [x, y, width, height] }: BoxMark): string {
  const size = `${Math.round(width)} by ${Math.round(height)}`;
  return `Box ${number}${text ? `, ${text},` : ""} at ${spoken([x, y])}, ${size}.`;
}

function describeThing({ selection, placing }: ThingMark, index: number): string {
  const [x, y] = selection.middle;
  const to: XY = [x + placing.shift[0], y + placing.shift[1]];
  return `Thing ${index + 1} at ${spoken([x, y])}${isPlaced(placing) ? `, to ${spoken(to)}` : ""}.`;
}

function spoken([x, y]: XY): string {
  return `${Math.round(x)}, ${Math.round(y)}`;
}
