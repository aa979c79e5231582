/** Everything of one open session, put together. */

import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Stage } from "../canvas/stage";
import { type Mode, makeMode, obstacle } from "../modes/mode";
import { Layers } from "./layers";
import { Masks } from "./masks";
import { Parts } from "./parts";
import { Photo } from "./photo";
import { Preview } from "./preview";
import { Boxes, Prompts } from "./prompts";
import { Session } from "./session";
import { Sharp } from "./sharp";
import { Things } from "./things";
import { Tools } from "./tools";
import { Viewing } from "./viewing";

export type Dialog = "export" | "help" | "vector";

export class Studio {
  readonly session: Session;
  readonly viewing: Viewing;
  readonly masks: Masks;
  readonly parts: Parts;
  readonly photo: Photo;
  readonly prompts: Prompts;
  readonly boxes: Boxes;
  readonly layers: Layers;
  readonly things: Things;
  readonly sharp: Sharp;
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
  /** The mode before had no tool of its own. */
  private isEmptyHanded = false;

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
    this.prompts = new Prompts(this.session, this.mode);
    this.things = new Things(this.session, this.viewing, this.tools, this.mode);
    this.obstacle = computed(() => {
      const [mode, current] = [this.mode.value, document.value];
      if (mode === null || current === null) return "The studio is getting ready.";
      const node = nodes.value.find(({ id }) => id === current.at?.node) ?? null;
      const ofInputs = [this.photo, this.parts, this.prompts, this.things].map((each) => each.obstacle.value);
      return obstacle(mode, current, node) ?? ofInputs.find((each) => each !== null) ?? null;
    });
    this.editable = computed(() => {
      const here = connected.value !== "refused" && this.viewing.looking.value === null;
      const node = nodes.value.find(({ id }) => id === document.value?.at?.node);
      return (
        here &&
        run.value === null &&
        node !== undefined &&
        this.mode.value?.edit.pictures.includes(node.kind) === true
      );
    });
    this.boxes = new Boxes(this.session, this.prompts, this.mode, this.editable);
    this.layers = new Layers(this.session, this.mode, this.editable);
    this.sharp = new Sharp(this.session, this.viewing, this.tools);
    const previewable = computed(
      () => this.editable.value && !this.teaching.value && this.parts.obstacle.value === null,
    );
    this.preview = new Preview(this.session, this.viewing, {
      modes: this.modes,
      mode: this.mode,
      layers: this.layers.moving,
      possible: previewable,
    });
    this.atStart = computed(() => this.starting.value || document.value?.at == null);
    this.stopEffects = [effect(() => this.putDownMissingTool()), effect(() => this.forgetMissing())];
  }

  dispose(): void {
    for (const stop of this.stopEffects) stop();
    this.preview.dispose();
    this.layers.dispose();
    this.things.dispose();
    this.sharp.dispose();
    this.parts.dispose();
    this.photo.dispose();
    this.viewing.dispose();
    this.masks.dispose();
    this.session.close();
  }

  private putDownMissingTool(): void {
    const mode = this.mode.value;
    const { tool } = this.tools;
    if (mode === null) return;
    const first = mode.tools[0] ?? "pan";
    const isMissing = !mode.tools.includes(tool.value);
    if (isMissing || (this.isEmptyHanded && first !== "pan")) {
      this.isEmptyHanded = first === "pan";
      tool.value = first;
    }
  }

  /** A point or box that is no longer there is not selected. */
  private forgetMissing(): void {
    const count = this.session.document.value?.points.length ?? 0;
    const { selected } = this.tools;
    if ((selected.value ?? 0) >= count) selected.value = null;
    const boxes = this.boxes.shown.value?.length ?? 0;
    if ((this.boxes.selected.value ?? 0) >= boxes) this.boxes.selected.value = null;
    const things = this.session.document.value?.things.length ?? 0;
    if ((this.things.selected.value ?? 0) >= things) this.things.selected.value = null;
  }
}
