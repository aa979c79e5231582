/** The mask's pixels: a stroke's own until the server has taken it, then the server's. */

import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { MaskShown } from "../canvas/model";
import { maskAddress } from "./api";
import { asBase64 } from "./base64";
import type { Session } from "./session";
import { Stills } from "./stills";

/** After this many milliseconds without an answer the server's mask is shown again. */
const PATIENCE = 3000;

export class Masks {
  readonly shown: ReadonlySignal<MaskShown | null>;
  readonly dispose: () => void;
  private readonly image: Signal<CanvasImageSource | null> = signal(null);
  /** Strokes that were sent and that no state has shown yet. */
  private readonly unanswered: Signal<number> = signal(0);
  private readonly stills = new Stills();
  private sending: Promise<void> = Promise.resolve();
  private taken: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly session: Session) {
    this.shown = computed(() => {
      const image = this.image.value;
      return image && { image, feather: session.document.value?.mask?.feather ?? 0 };
    });
    const stops = [effect(() => this.takeState()), effect(() => this.takeProblem())];
    this.dispose = () => {
      for (const stop of stops) stop();
    };
  }

  /** A stroke or an inversion is finished; null takes the mask away. */
  change(png: Blob | null, label: string): void {
    this.unanswered.value += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.unanswered.value = 0;
    }, PATIENCE);
    this.sending = this.sending.then(() => this.send(png, label));
  }

  private async send(png: Blob | null, label: string): Promise<void> {
    if (png === null) {
      this.image.value = null;
      this.session.change({ label, clear_mask: true });
      return;
    }
    this.image.value = await createImageBitmap(png);
    const feather = this.session.document.peek()?.mask?.feather ?? 0;
    this.session.change({ label, mask: asBase64(new Uint8Array(await png.arrayBuffer())), feather });
  }

  private takeState(): void {
    const hash = this.session.state.value?.document.mask?.image ?? null;
    if (hash !== this.taken) {
      this.taken = hash;
      if (this.unanswered.peek() > 0) this.unanswered.value -= 1;
    }
    if (this.unanswered.value === 0) void this.load(hash);
  }

  private takeProblem(): void {
    if (this.session.problems.value.some(({ about }) => about === "mask")) this.unanswered.value = 0;
  }

  private async load(hash: string | null): Promise<void> {
    if (hash === null) {
      this.image.value = null;
      return;
    }
    try {
      const { image } = await this.stills.get(maskAddress(this.session.id, hash));
      if (this.taken === hash && this.unanswered.peek() === 0) this.image.value = image;
    } catch (problem) {
      this.session.report("mask", (problem as Error).message);
    }
  }
}
