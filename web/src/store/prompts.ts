/** What a drawing, or boxes of it, should become in words; and the boxes of whatever mode takes some. */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { middleBox } from "../canvas/free-box";
import type { BoxMark, CropBox } from "../canvas/model";
import type { Document, Prompt } from "../messages";
import type { Mode } from "../modes/mode";
import type { Session } from "./session";

/** White is read on each of them. */
const COLOURS = [
  "#c2362b",
  "#1d66c9",
  "#15803d",
  "#a8480b",
  "#7c3aed",
  "#b8186a",
  "#0f766e",
  "#57534e",
] as const;

/** Most prompts, and most boxes. */
export const MOST_PROMPTS = 16;
export const MOST_STRENGTH = 3;

/** Of a prompt or box with this number, from 0. */
export function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] ?? COLOURS[0];
}

/** Numbers of the prompts that have a box. */
function boxed(prompts: readonly Prompt[]): readonly number[] {
  return prompts.flatMap(({ box }, index) => (box === null ? [] : [index]));
}

export function marksOf(prompts: readonly Prompt[]): readonly BoxMark[] {
  return prompts.flatMap(({ box, text }, index) =>
    box === null ? [] : [{ box, number: index + 1, colour: colourOf(index), text }],
  );
}

/** Why these cannot be followed yet; null when they can. */
export function unfinished(prompts: readonly Prompt[]): string | null {
  const empty = prompts.findIndex(({ text }) => text.trim() === "");
  if (empty < 0) return null;
  return prompts[empty]?.box
    ? `Write what box ${empty + 1} should become.`
    : "Write what the drawing should become.";
}

interface Draft {
  readonly index: number;
  readonly text: string;
}

export class Prompts {
  readonly all: ReadonlySignal<readonly Prompt[]>;
  /** What is being written, before that becomes a change. */
  readonly draft: Signal<Draft | null> = signal(null);
  /** A prompt that was just made, to be written into. */
  readonly fresh: Signal<number | null> = signal(null);
  /** Why a run cannot begin. */
  readonly obstacle: ReadonlySignal<string | null>;

  constructor(
    private readonly session: Session,
    mode: ReadonlySignal<Mode | null>,
  ) {
    const { document, welcome } = session;
    this.all = computed(() => document.value?.prompts ?? []);
    this.obstacle = computed(() => {
      const inputs = mode.value?.edit.inputs ?? [];
      if (inputs.includes("words") && welcome.value?.words.length === 0)
        return "The text-image model words-small is not installed; without one no words can be read.";
      return inputs.includes("prompts") ? unfinished(this.written.value) : null;
    });
  }

  private readonly written = computed(() => {
    const draft = this.draft.value;
    return this.all.value.map((each, index) =>
      draft?.index === index ? { ...each, text: draft.text } : each,
    );
  });

  add(box: CropBox | null): void {
    const all = this.all.peek();
    if (all.length >= MOST_PROMPTS) return;
    const prompt: Prompt = { text: "", box, strength: 1 };
    const next = box === null ? [prompt, ...all] : [...all, prompt];
    this.change(next, box === null ? "Add words" : "Add box");
    this.fresh.value = box === null ? 0 : all.length;
  }

  set(index: number, part: Partial<Prompt>, label: string): void {
    const [all, old] = [this.all.peek(), this.all.peek()[index]];
    if (old !== undefined) this.change(all.with(index, { ...old, ...part }), label);
  }

  remove(index: number): void {
    const had = this.all.peek()[index];
    if (had) this.change(this.all.peek().toSpliced(index, 1), had.box ? "Delete box" : "Delete words");
  }

  private change(prompts: readonly Prompt[], label: string): void {
    this.draft.value = null;
    this.session.dismiss("prompts");
    this.session.change({ label, prompts });
  }
}

/** The boxes on the canvas: those of prompts, or those that a tracing takes. */
export class Boxes {
  /** Null where the mode takes none. */
  readonly shown: ReadonlySignal<readonly BoxMark[] | null>;
  readonly nextColour: ReadonlySignal<string>;
  /** Place among those that are shown. */
  readonly selected: Signal<number | null> = signal(null);
  private readonly kind: ReadonlySignal<"prompts" | "boxes" | null>;

  constructor(
    private readonly session: Session,
    private readonly prompts: Prompts,
    mode: ReadonlySignal<Mode | null>,
    private readonly editable: ReadonlySignal<boolean>,
  ) {
    this.kind = computed(() => {
      const inputs = mode.value?.edit.inputs ?? [];
      return inputs.includes("prompts") ? "prompts" : inputs.includes("boxes") ? "boxes" : null;
    });
    this.shown = computed(() => {
      if (this.kind.value === "prompts") return marksOf(prompts.all.value);
      return this.kind.value === "boxes" ? plainMarks(this.plain.value) : null;
    });
    this.nextColour = computed(() =>
      colourOf(this.kind.value === "prompts" ? prompts.all.value.length : this.plain.value.length),
    );
  }

  private readonly plain = computed(() => this.session.document.value?.boxes ?? []);

  /** Place among the shown boxes of a prompt with this number; null without a box. */
  placeOf(prompt: number): number | null {
    const place = boxed(this.prompts.all.value).indexOf(prompt);
    return place < 0 ? null : place;
  }

  /** A box was moved or resized; without a place it is a new one, which is then selected. */
  change(place: number | null, box: CropBox): void {
    if (!this.editable.peek()) return;
    const count = this.shown.peek()?.length ?? 0;
    if (this.kind.peek() === "prompts") this.changePrompt(place, box);
    else this.changePlain(place, box);
    if (place === null) this.selected.value = Math.min(count, MOST_PROMPTS - 1);
  }

  private changePrompt(place: number | null, box: CropBox): void {
    const index = place === null ? undefined : boxed(this.prompts.all.peek())[place];
    if (index === undefined) this.prompts.add(box);
    else this.prompts.set(index, { box }, "Move box");
  }

  private changePlain(place: number | null, box: CropBox): void {
    const all = this.plain.peek();
    if (place === null && all.length >= MOST_PROMPTS) return;
    this.setPlain(
      place === null ? [...all, box] : all.with(place, box),
      place === null ? "Add box" : "Move box",
    );
  }

  private setPlain(boxes: Document["boxes"], label: string): void {
    this.session.dismiss("boxes");
    this.session.change({ label, boxes: boxes.map(([x, y, width, height]) => [x, y, width, height]) });
  }

  /** One in the middle of the picture, for those who do not draw. */
  add(picture: readonly [number, number]): void {
    this.change(null, middleBox({ width: picture[0], height: picture[1] }));
  }

  remove(place: number): void {
    if (!this.editable.peek()) return;
    const index = boxed(this.prompts.all.peek())[place];
    if (this.kind.peek() === "boxes") this.setPlain(this.plain.peek().toSpliced(place, 1), "Delete box");
    else if (index !== undefined) this.prompts.remove(index);
    this.selected.value = null;
  }

  /** The one after, or before, the selected box. */
  choose(by: 1 | -1): void {
    const count = this.shown.peek()?.length ?? 0;
    if (count === 0) return;
    const now = this.selected.peek();
    const next = now === null ? (by > 0 ? 0 : count - 1) : now + by;
    this.selected.value = (next + count) % count;
  }
}

function plainMarks(boxes: Document["boxes"]): readonly BoxMark[] {
  return boxes.map((box, index) => ({ box, number: index + 1, colour: colourOf(index), text: "" }));
}
