/** Paints the region; the mask shows the stroke at once, the model learns of it at its end. */

import { type Dab, dabRadius, line, type Mark, markOf, StrokePath } from "./brush";
import type { Press } from "./gestures";
import type { CanvasModel } from "./model";
import type { Painting } from "./painting";
import type { Surroundings } from "./point-tool";
import type { Hand } from "./pointers";
import { toPicture } from "./viewport";

interface Stroke {
  readonly path: StrokePath;
  readonly mark: Mark;
}

export class BrushTool implements Hand {
  private stroke: Stroke | null = null;
  private lastEnd: Dab | null = null;

  constructor(
    private readonly model: CanvasModel,
    private readonly painting: Painting,
    private readonly surroundings: () => Surroundings | null,
  ) {}

  down(press: Press): boolean {
    const around = this.surroundings();
    if (around === null || !this.model.editable.peek() || press.second) {
      return false;
    }
    const mark = markOf(this.model.brush.peek());
    this.stroke = { path: new StrokePath(), mark };
    this.painting.begin(around.picture, mark);
    const dab = this.dabAt(press, around);
    const straight = press.shift && this.lastEnd !== null ? line(this.lastEnd, dab) : [];
    this.painting.paint([...straight, ...this.stroke.path.add(dab)], mark);
    this.lastEnd = dab;
    return true;
  }

  move(presses: readonly Press[]): void {
    const around = this.surroundings();
    const { stroke } = this;
    if (stroke === null || around === null) {
      return;
    }
    for (const press of presses) {
      const dab = this.dabAt(press, around);
      this.painting.paint(stroke.path.add(dab), stroke.mark);
      this.lastEnd = dab;
    }
  }

  up(): void {
    const { stroke } = this;
    if (stroke === null) {
      return;
    }
    this.stroke = null;
    this.painting.paint(stroke.path.finish(), stroke.mark);
    this.painting.end();
  }

  drop(): void {
    if (this.stroke !== null) {
      this.stroke = null;
      this.painting.abandon();
    }
  }

  /** False when there was no stroke. */
  cancel(): boolean {
    const busy = this.stroke !== null;
    this.drop();
    return busy;
  }

  private dabAt(press: Press, { view }: Surroundings): Dab {
    const [x, y] = toPicture(view, press.at);
    return { x, y, radius: dabRadius(this.model.brush.peek().size, press.pressure, press.pointer === "pen") };
  }
}
