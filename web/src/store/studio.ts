/** Everything of one open session, put together. */

import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Stage } from "../canvas/stage";
import { type Mode, makeMode, obstacle } from "../modes/mode";
import { Masks } from "./masks";
import { Parts } from "./parts";
import { Photo } from "./photo";
import { Preview } from "./preview";
import { Session } from "./session";
import { Tools } from "./tools";
import { Viewing } from "./viewing";

export type Dialog = "export" | "help" | "vector";

export class Studio {
  readonly session: Session;
  readonly viewing: Viewing;
  readonly masks: Masks;
  readonly parts: Parts;
  readonly photo: Photo;
  readonly preview: Preview;
  readonly tools = new Tools();
  /** The canvas, while it is on the page. */
  readonly stage: Signal<Stage | null> = signal(null);
  readonly modes: ReadonlySignal<readonly Mode[]>;
  readonly mode: ReadonlySignal<Mode | null>;
  /** Why no run can start; null when one can. */
  readonly obstacle: ReadonlySignal<string | null>;
  /** Points and mask may be changed: nothing runs, and the frame that is shown is the document's. */
  readonly editable: ReadonlySignal<boolean>;
  readonly dialog: Signal<Dialog | null> = signal(null);
  /** The panel in which a person teaches the model its parts is open. */
  readonly teaching: Signal<boolean> = signal(false);
  /** The start page was asked for; it also shows while there is no picture. */
  readonly starting: Signal<boolean> = signal(false);
  readonly atStart: ReadonlySignal<boolean>;
  private readonly stopEffects: (() => void)[];

  constructor(address: string, known: string | null) {
    this.session = new Session(address, known);
    this.viewing = new Viewing(this.session);
    this.masks = new Masks(this.session);
    const { document, welcome, run, nodes, connected } = this.session;
    this.modes = computed(() => (welcome.value?.edits ?? []).map(makeMode));
    this.mode = computed(
      () =>
        this.modes.value.find(({ edit }) => edit.name === document.value?.edit) ??
        this.modes.value[0] ??
        null,
    );
    this.parts = new Parts(this.session, this.mode);
    this.photo = new Photo(this.session, this.mode);
    this.obstacle = computed(() => {
      const [mode, current] = [this.mode.value, document.value];
      if (mode === null || current === null) return "The studio is getting ready.";
      const node = nodes.value.find(({ id }) => id === current.at?.node) ?? null;
      return obstacle(mode, current, node) ?? this.photo.obstacle.value ?? this.parts.obstacle.value;
    });
    this.editable = computed(() => {
      const here = connected.value !== "refused" && this.viewing.looking.value === null;
      const node = nodes.value.find(({ id }) => id === document.value?.at?.node);
      return here && run.value === null && node !== undefined && node.kind === this.mode.value?.edit.picture;
    });
    const previewable = computed(
      () => this.editable.value && !this.teaching.value && this.parts.obstacle.value === null,
    );
    this.preview = new Preview(this.session, this.viewing, this.mode, previewable);
    this.atStart = computed(() => this.starting.value || document.value?.at == null);
    this.stopEffects = [effect(() => this.putDownMissingTool()), effect(() => this.forgetMissingPoint())];
  }

  dispose(): void {
    for (const stop of this.stopEffects) stop();
    this.preview.dispose();
    this.parts.dispose();
    this.photo.dispose();
    this.viewing.dispose();
    this.masks.dispose();
    this.session.close();
  }

  private putDownMissingTool(): void {
    const mode = this.mode.value;
    const { tool } = this.tools;
    if (mode && !mode.tools.includes(tool.value)) tool.value = mode.tools[0] ?? "pan";
  }

  private forgetMissingPoint(): void {
    const count = this.session.document.value?.points.length ?? 0;
    const { selected } = this.tools;
    if ((selected.value ?? 0) >= count) selected.value = null;
  }
}
