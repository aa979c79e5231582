/** A drawing at rest as SVG, for zooms at which its pixels would be seen. The browser draws it as an image: nothing in it can act. */

import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Shown } from "../canvas/model";
import { drawingAddress } from "./api";
import type { Session } from "./session";
import type { Tools } from "./tools";
import type { Viewing } from "./viewing";

interface Loaded {
  readonly address: string;
  readonly drawing: Shown;
}

export class Sharp {
  readonly dispose: () => void;
  readonly shown: ReadonlySignal<Shown | null>;
  private readonly loaded: Signal<Loaded | null> = signal(null);

  constructor(session: Session, viewing: Viewing, tools: Tools) {
    const wanted = computed(() => {
      const [place, node] = [viewing.place.value, viewing.node.value];
      const atRest = session.run.value === null && viewing.preview.value === null;
      return place !== null && node?.kind === "vector" && atRest ? drawingAddress(session.id, place) : null;
    });
    const isNear = computed(() => {
      const [all, shown] = [viewing.extent.value?.width ?? 0, viewing.picture.value?.width ?? 0];
      return tools.zoom.value * window.devicePixelRatio * all > shown;
    });
    this.shown = computed(() =>
      this.loaded.value?.address === wanted.value ? (this.loaded.value?.drawing ?? null) : null,
    );
    this.dispose = effect(() => {
      if (wanted.value !== null && isNear.value) void this.load(wanted.value);
    });
  }

  /** Without it the pixels stay. */
  private async load(address: string): Promise<void> {
    if (this.loaded.peek()?.address === address) return;
    const image = new Image();
    image.src = address;
    try {
      await image.decode();
    } catch {
      return;
    }
    const { naturalWidth: width, naturalHeight: height } = image;
    this.loaded.value = { address, drawing: { image, width, height } };
  }
}
