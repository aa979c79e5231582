/** What the edit would make, shown while a person sets it up; the server keeps nothing of it. */

import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Document, LayerChanges } from "../messages";
import { type Mode, obstacle } from "../modes/mode";
import { isUnchanged } from "./layerchanges";
import type { Session } from "./session";
import type { Viewing } from "./viewing";

/** Milliseconds after a change; all changes meanwhile are seen with it. */
const PAUSE = 150;

interface Sources {
  readonly modes: ReadonlySignal<readonly Mode[]>;
  readonly mode: ReadonlySignal<Mode | null>;
  /** Changes of layers while a colour is chosen, before that becomes a change of the document; else null. */
  readonly layers: ReadonlySignal<LayerChanges | null>;
  /** The document may be worked on, and something made of it. */
  readonly possible: ReadonlySignal<boolean>;
}

export class Preview {
  /** The person wants to see it. */
  readonly live: Signal<boolean> = signal(true);
  /** Learnt edits while a slider moves, before that becomes a change; else null. */
  readonly moving: Signal<Document["vectors"] | null> = signal(null);
  readonly dispose: () => void;
  /** What it depends on, as text; null while there is none to show. */
  private readonly wanted: ReadonlySignal<string | null>;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: Session,
    private readonly viewing: Viewing,
    private readonly sources: Sources,
  ) {
    const { mode, possible } = sources;
    const frame = computed(() => JSON.stringify([mode.value?.edit.name, session.document.value?.at]));
    this.wanted = computed(() => {
      const current = session.document.value;
      const wished = this.live.value && possible.value;
      return wished && current !== null ? this.wantedOf(this.shower.value, current) : null;
    });
    const stops = [
      effect(() => {
        if (frame.value) viewing.dropPreview();
      }),
      effect(() => this.ask(this.wanted.value)),
    ];
    this.dispose = () => {
      for (const stop of stops) stop();
      clearTimeout(this.timer);
    };
  }

  /** Whose preview is shown: the mode's, or, where that has none, that of the changes of layers with which its run begins. */
  private readonly shower = computed((): Mode | null => {
    const mode = this.sources.mode.value;
    if (mode === null || mode.edit.preview) return mode;
    if (!mode.edit.inputs.includes("layers")) return null;
    return this.sources.modes.value.find(({ edit }) => edit.preview && edit.name === "layers") ?? null;
  });

  /** Undo and redo end a preview on the server, so one is asked for after them, whatever they changed. */
  private wantedOf(mode: Mode | null, current: Document): string | null {
    const moving = this.moving.value;
    const layers = this.sources.layers.value ?? current.layers;
    const document = { ...current, vectors: moving ?? current.vectors, layers };
    const node = this.session.nodes.value.find(({ id }) => id === document.at?.node) ?? null;
    if (mode === null || !mode.edit.preview || obstacle(mode, document, node) !== null) return null;
    if (mode.edit.inputs.includes("layers") && isUnchanged(layers)) return null;
    const { at, parts, vectors, mask, settings, things, other, points } = document;
    const ofThings = mode.edit.group ? [things, other, points] : [];
    const inputs = [mode.edit.name, at, parts, vectors, layers, mask, settings[mode.edit.name], ofThings];
    return JSON.stringify([...inputs, moving !== null, this.session.travels.value]);
  }

  private ask(wanted: string | null): void {
    batch(() => {
      this.viewing.takesPreviews.value = wanted !== null;
      this.viewing.previewOutdated.value = wanted !== null;
    });
    if (wanted === null) {
      this.end();
      return;
    }
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const edit = this.shower.peek()?.edit.name ?? null;
      this.session.send({
        type: "preview",
        edit,
        vectors: this.moving.peek(),
        layers: this.sources.layers.peek(),
      });
    }, PAUSE);
  }

  private end(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const isShowing = this.session.previewing.peek() !== null;
    if (isShowing && this.session.run.peek() === null) this.session.send({ type: "stop" });
  }
}
