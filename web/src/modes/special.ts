/** The edits that show something of their own; all others need no entry. */

import { DRAG } from "./drag";
import { DRAW, RESTYLE, TRACE } from "./drawings";
import { INVERT } from "./invert";
import type { Special } from "./mode";
import { REPAINT } from "./repaint";
import { THINGS } from "./things";

export const SPECIAL: Readonly<Record<string, Special>> = {
  drag: DRAG,
  repaint: REPAINT,
  invert: INVERT,
  trace: TRACE,
  restyle: RESTYLE,
  draw: DRAW,
  move: THINGS,
  remove: THINGS,
  paste: THINGS,
  swap: THINGS,
  dragcontent: THINGS,
  dragdiffusion: { ...THINGS, marks: DRAG.marks },
};
