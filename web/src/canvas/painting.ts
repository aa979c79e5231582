/**
 * The region that is shown: the model's mask, or what a stroke made of it until the model's mask says the same.
 */

import type { Dab, Mark } from "./brush";
import type { MaskLayer } from "./mask-layer";
import type { CanvasModel } from "./model";
import { Region } from "./region";
import type { Size } from "./viewport";

/** After this the model's mask counts, whatever strokes it has not answered. */
const PATIENCE_MS = 4000;

export class Painting {
  private region: Region | null = null;
  /** As it was before the stroke that goes on; undefined between strokes. */
  private before: Region | null | undefined;
  private unanswered = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly model: CanvasModel,
    private readonly layer: MaskLayer,
    private readonly changed: () => void,
  ) {}

  /** The model has another mask. While strokes follow each other it answers the older ones first: those are not shown. */
  modelChanged(): void {
    this.unanswered = Math.max(0, this.unanswered - 1);
    if (this.before === undefined && this.unanswered === 0) {
      this.takeModel();
    }
  }

  /** Another picture of another size is shown. */
  pictureResized(): void {
    this.before = undefined;
    this.takeModel();
  }

  begin(size: Size, mark: Mark): void {
    this.before = this.region?.copy() ?? null;
    if (this.region === null) {
      this.region = Region.allOf(size, mark === "change" ? "stay" : "change");
      this.showRegion();
    }
  }

  paint(dabs: readonly Dab[], mark: Mark): void {
    this.layer.paint(dabs, mark);
    this.changed();
  }

  /** The stroke is finished. */
  end(): void {
    this.before = undefined;
    this.layer.soften(this.feather());
    this.changed();
    this.tell("Paint region");
  }

  abandon(): void {
    this.region = this.before ?? null;
    this.before = undefined;
    this.showRegion();
  }

  invert(): void {
    if (this.region !== null && this.before === undefined && this.model.editable.peek()) {
      this.region.invert();
      this.showRegion();
      this.tell("Invert region");
    }
  }

  clear(): void {
    if (this.region !== null && this.before === undefined && this.model.editable.peek()) {
      this.region = null;
      this.showRegion();
      this.tell("Clear region");
    }
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private tell(label: string): void {
    this.unanswered += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.loseStrokes(), PATIENCE_MS);
    this.model.changeMask(this.region?.png() ?? null, label);
  }

  private loseStrokes(): void {
    if (this.unanswered > 0 && this.before === undefined) {
      this.unanswered = 0;
      this.takeModel();
    }
  }

  private takeModel(): void {
    const mask = this.model.mask.peek();
    const picture = this.model.picture.peek();
    this.region = mask === null || picture === null ? null : Region.read(mask.image, picture);
    this.showRegion();
  }

  private showRegion(): void {
    this.layer.show(this.region, this.feather());
    this.changed();
  }

  private feather(): number {
    return this.model.mask.peek()?.feather ?? 0;
  }
}
