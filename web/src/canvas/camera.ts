/** Where the picture lies on the host, and what moves it. */

import type { Signal } from "@preact/signals";
import type { XY } from "./model";
import type { Placement } from "./placement";
import {
  fitView,
  keepInSight,
  onDevicePixels,
  panBy,
  partInSight,
  pinch,
  recentred,
  type Size,
  type View,
  zoomAt,
} from "./viewport";

export class Camera {
  /** Null without a picture or without room. */
  placement: Placement | null = null;
  box: Size = { width: 0, height: 0 };
  ratio = 1;
  private picture: Size | null = null;
  private view: View | null = null;
  /** Nobody moved the picture since it was fitted: it stays so when the host is resized. */
  private fitted = true;

  constructor(
    private readonly zoom: Signal<number>,
    private readonly moved: () => void,
  ) {}

  /** A picture of another size. */
  show(picture: Size | null): void {
    this.picture = picture === null ? null : { width: picture.width, height: picture.height };
    this.fit();
  }

  resize(box: Size, ratio: number): void {
    const before = this.box;
    this.box = box;
    this.ratio = ratio;
    if (this.fitted || this.view === null) {
      this.fit();
    } else {
      this.move(recentred(this.view, before, box));
    }
  }

  fit(): void {
    const room = this.box.width > 0 && this.box.height > 0;
    this.view = this.picture === null || !room ? null : fitView(this.picture, this.box);
    this.fitted = true;
    this.settle();
  }

  zoomTo(scale: number): void {
    if (this.view !== null) {
      this.zoomBy(scale / this.view.scale);
    }
  }

  zoomBy(factor: number, at: XY = [this.box.width / 2, this.box.height / 2]): void {
    if (this.view !== null) {
      this.move(zoomAt(this.view, factor, at));
    }
  }

  panBy(dx: number, dy: number): void {
    if (this.view !== null) {
      this.move(panBy(this.view, dx, dy));
    }
  }

  pinch(from: readonly [XY, XY], to: readonly [XY, XY]): void {
    if (this.view !== null) {
      this.move(pinch(this.view, from, to));
    }
  }

  private move(view: View): void {
    this.fitted = false;
    this.view = this.picture === null ? null : keepInSight(view, this.picture, this.box);
    this.settle();
  }

  private settle(): void {
    const { box, picture, ratio } = this;
    if (this.view === null || picture === null) {
      this.placement = null;
    } else {
      const view = onDevicePixels(this.view, ratio);
      this.placement = { view, picture, box, ratio, part: partInSight(view, picture, box) };
      this.zoom.value = view.scale;
    }
    this.moved();
  }
}
