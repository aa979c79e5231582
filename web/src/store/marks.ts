/** Which points and ways lie over the frame that is shown. */

import type { PointMark } from "../canvas/model";
import type { RunMarks } from "../modes/mode";
import { factsAt, type XY } from "./reduce";
import type { Measured } from "./session";

const NOTHING: RunMarks = { tracked: [], trails: [] };
/** Pixels within which a handle counts as being where the run has it. */
const CLOSE = 1.5;

/** The points that an old run was made with. */
export function pointsOfRun({ facts, targets }: Measured): readonly PointMark[] {
  const first = facts[0]?.handles ?? [];
  return targets.flatMap((target, index) => {
    const handle = first[index];
    return handle ? [{ handle, target, locked: false }] : [];
  });
}

/** After a run its marks stay until the points are changed: dots only where the handles were left behind. */
export function marksAfterRun(
  points: readonly PointMark[],
  { facts }: Measured,
  step: number,
  marks: RunMarks,
): RunMarks {
  const handles = points.map(({ handle }) => handle);
  if (near(handles, factsAt(facts, step)?.handles)) return { tracked: [], trails: marks.trails };
  return near(handles, facts[0]?.handles) ? marks : NOTHING;
}

function near(left: readonly XY[], right: readonly XY[] | undefined): boolean {
  if (right === undefined || left.length !== right.length) return false;
  return left.every(([x, y], index) => {
    const [otherX, otherY] = right[index] ?? [Number.NaN, Number.NaN];
    return Math.hypot(x - otherX, y - otherY) <= CLOSE;
  });
}
