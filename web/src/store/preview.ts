/** What the edit would make, shown while a person sets it up; the server keeps nothing of it. */

import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Mode } from "../modes/mode";
import type { Session } from "./session";
import type { Viewing } from "./viewing";

/** Milliseconds that the hand must rest. */
const PAUSE = 150;

export class Preview {
  /** The person wants to see it. */
  readonly live: Signal<boolean> = signal(true);
  readonly dispose: () => void;
  /** What it depends on, as text; null while there is none to show. */
  private readonly wanted: ReadonlySignal<string | null>;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: Session,
    private readonly viewing: Viewing,
    mode: ReadonlySignal<Mode | null>,
    /** A run could start. */
    ready: ReadonlySignal<boolean>,
  ) {
    this.wanted = computed(() => {
      const [document, edit] = [session.document.value, mode.value?.edit];
      if (!this.live.value || !ready.value || !edit?.preview || document === null) return null;
      const { at, parts, vectors, mask, settings } = document;
      return JSON.stringify([edit.name, at, parts, vectors, mask, settings[edit.name]]);
    });
    const stop = effect(() => this.ask());
    this.dispose = () => {
      stop();
      clearTimeout(this.timer);
    };
  }

  private ask(): void {
    const wanted = this.wanted.value;
    clearTimeout(this.timer);
    batch(() => {
      this.viewing.takesPreviews.value = wanted !== null;
      this.viewing.previewOutdated.value = wanted !== null;
    });
    if (wanted === null) {
      if (this.session.previewing.peek() !== null && this.session.run.peek() === null)
        this.session.send({ type: "stop" });
      return;
    }
    this.timer = setTimeout(() => this.session.send({ type: "preview" }), PAUSE);
  }
}
