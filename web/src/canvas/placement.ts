/** What all layers need to know to draw: where the picture lies and how large the host is. */

import type { Part, Size, View } from "./viewport";

export interface Placement {
  readonly view: View;
  readonly picture: Size;
  readonly box: Size;
  /** Device pixels per CSS pixel. */
  readonly ratio: number;
  readonly part: Part;
}
