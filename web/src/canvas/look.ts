/** Colours and sizes of what lies over the picture; they must be seen on any picture, so they are the same in dark and light. */

export const RED = "#e5484d";
export const BLUE = "#3e8bff";
export const WHITE = "#ffffff";
export const AMBER = "#ffb224";
export const INK = "#14161a";
/** Dark edge around light lines. */
export const CASING = "rgba(10, 12, 16, 0.5)";

/** What must stay. */
export const TINT = "#0d0f14";
export const TINT_ALPHA = 0.58;
export const HATCH = "rgba(255, 255, 255, 0.13)";
export const HATCH_STEP = 8;

export const DISC_RADIUS = 9;
export const RING_RADIUS = 7;

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** From this zoom on pixels are squares. */
export const SHARP_FROM = 4;
/** From this zoom on the grid shows pixels, below it thirds. */
export const PIXEL_GRID_FROM = 8;
