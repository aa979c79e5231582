/** The points in words, for screen readers. */

import type { PointMark, XY } from "./model";

export function describe(points: readonly PointMark[], pending: XY | null): string {
  const sentences = points.map(
    (mark, index) =>
      `Point ${index + 1} from ${spoken(mark.handle)} to ${spoken(mark.target)}${mark.locked ? ", locked" : ""}.`,
  );
  if (pending !== null) {
    sentences.push(`Handle at ${spoken(pending)}; choose its target.`);
  }
  return sentences.length === 0 ? "No points." : sentences.join(" ");
}

function spoken([x, y]: XY): string {
  return `${Math.round(x)}, ${Math.round(y)}`;
}
