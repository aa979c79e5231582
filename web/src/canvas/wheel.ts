/** What a turn of the wheel means: a mouse wheel and a pinch zoom, two fingers on a trackpad pan. */

export interface Turn {
  readonly deltaX: number;
  readonly deltaY: number;
  /** 0 = pixels, 1 = lines, 2 = pages. */
  readonly deltaMode: number;
  readonly ctrlKey: boolean;
  /** Not in every browser: multiples of 120 from a mouse wheel. */
  readonly wheelDeltaY?: number | undefined;
}

export type WheelMeaning = "zoom" | "pan";

const PIXELS_PER_LINE = 16;
const PIXELS_PER_PAGE = 400;
const NOTCH = 120;

/** What the first turn of a series means; those that follow it within a moment mean the same. */
export function wheelMeaning(turn: Turn): WheelMeaning {
  if (turn.ctrlKey || turn.deltaMode !== 0) {
    return "zoom";
  }
  if (turn.deltaX !== 0) {
    return "pan";
  }
  return isNotch(turn) ? "zoom" : "pan";
}

function isNotch({ deltaY, wheelDeltaY }: Turn): boolean {
  const inNotches = wheelDeltaY !== undefined && wheelDeltaY !== 0 && wheelDeltaY % NOTCH === 0;
  return (inNotches && wheelDeltaY !== -3 * deltaY) || (Number.isInteger(deltaY) && Math.abs(deltaY) >= 50);
}

export function wheelPixels(delta: number, mode: number): number {
  return delta * (mode === 1 ? PIXELS_PER_LINE : mode === 2 ? PIXELS_PER_PAGE : 1);
}

/** How much a turn zooms; a trackpad's pinch comes in small deltas, each of which counts for more. */
export function zoomFactor(turn: Turn): number {
  const pixels = wheelPixels(turn.deltaY, turn.deltaMode);
  const pinched = turn.ctrlKey && Math.abs(pixels) < 50;
  const bounded = Math.max(-240, Math.min(240, pixels));
  return Math.exp(-bounded * (pinched ? 0.01 : 0.0018));
}
