/** Things of photos: what was selected, where it goes, what was copied; and the pixels with which it is shown at once. */

import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Shown, ThingsShown, XY } from "../canvas/model";
import { type Bounds, isPlaced, middleOf, type Placing, pastedAt } from "../canvas/placing";
import { Selection } from "../canvas/selection";
import type { Joining } from "../canvas/things-gestures";
import type { Change, Document, EditInfo, Other, Place, Thing } from "../messages";
import type { Mode } from "../modes/mode";
import {
  boxedAddress,
  clickedAddress,
  frameAddress,
  getImage,
  keepMask,
  maskAddress,
  withoutAddress,
} from "./api";
import { report } from "./opening";
import { encodeGrey } from "./partspng";
import { PASTE, samePlace } from "./reduce";
import type { Session } from "./session";
import { Stills } from "./stills";
import type { Tools } from "./tools";
import type { Viewing } from "./viewing";

export const GROUP = "Things";
export const MOST_THINGS = 16;
/** Selections whose pixels are kept. */
const KEPT = 2 * MOST_THINGS;

interface Origin {
  readonly place: Place;
  readonly edit: string;
  readonly things: readonly Thing[];
}

/** A click whose tolerance can still be changed. */
interface Clicked {
  readonly at: XY;
  readonly joining: Joining;
  readonly before: Before;
  readonly after: string;
}

/** What a selection is joined to. */
interface Before {
  readonly things: readonly Thing[];
  readonly selected: number | null;
}

export function thingOf(mask: string, placing: Partial<Placing> = {}): Thing {
  return { mask, shift: [0, 0], scale: 1, turn: 0, pivot: null, ...placing } as Thing;
}

export class Things {
  readonly selected: Signal<number | null> = signal(null);
  readonly shown: ReadonlySignal<ThingsShown | null>;
  /** Something is being looked for. */
  readonly busy: Signal<boolean> = signal(false);
  /** Why a run cannot begin. */
  readonly obstacle: ReadonlySignal<string | null>;
  /** Where the person came from to copy something, and in which mode; null while they did not. */
  readonly origin: Signal<Origin | null> = signal(null);
  readonly dispose: () => void;
  private readonly known: Signal<ReadonlyMap<string, Selection>> = signal(new Map());
  private readonly source: Signal<{ readonly at: string; readonly shown: Shown } | null> = signal(null);
  private readonly behind: Signal<{ readonly at: string; readonly shown: Shown } | null> = signal(null);
  private readonly stills = new Stills();
  private clicked: Clicked | null = null;
  private hasLeft = false;

  constructor(
    private readonly session: Session,
    viewing: Viewing,
    private readonly tools: Tools,
    mode: ReadonlySignal<Mode | null>,
  ) {
    const { document, welcome } = session;
    const edit = computed(() => {
      const found = mode.value?.edit;
      return found?.group === GROUP ? found : null;
    });
    this.obstacle = computed(() => {
      if (edit.value === null || welcome.value?.diffusers.length !== 0) return null;
      if (!hasPreset(edit.value)) return "Diffusion models need diffusers.";
      if (document.value?.settings[edit.value.name]?.preset === "copy") return null;
      return "Without diffusers only the preset “copy” works.";
    });
    this.shown = computed(() => {
      const current = document.value;
      if (edit.value === null || current === null) return null;
      const takesThings = edit.value.inputs.includes("things");
      const takesPoints = edit.value.inputs.includes("points");
      const foreign = edit.value.name === PASTE;
      const known = current.things.flatMap((thing) => {
        const selection = this.known.value.get(thing.mask);
        return selection?.bounds
          ? [{ selection, placing: takesThings ? thing : { ...thing, ...NOWHERE } }]
          : [];
      });
      const isWhole = known.length === current.things.length; // else their numbers are not those of the document
      const [source, behind] = [this.source.value, this.behind.value];
      return {
        all: isWhole && !(takesPoints && current.mask !== null) ? known : [],
        foreign,
        movable: takesThings,
        selects: !foreign && !takesPoints,
        source: source?.at === this.sourceAddress(current) ? source.shown : null,
        behind: behind?.at === this.behindAddress(current) ? behind.shown : null,
        stale: viewing.previewOutdated.value,
      };
    });
    const stops = [
      effect(() => {
        for (const { mask } of document.value?.things ?? []) void this.learn(mask);
        for (const mask of document.value?.other?.masks ?? []) void this.learn(mask);
      }),
      effect(() => void this.load(this.source, edit.value && this.sourceAddress(document.value))),
      effect(() => void this.load(this.behind, edit.value && this.behindAddress(document.value))),
      effect(() => {
        const isThere = samePlace(this.origin.value?.place ?? null, document.value?.at ?? null);
        if (isThere && this.hasLeft) this.origin.value = null;
        this.hasLeft = this.origin.value !== null && !isThere;
      }),
    ];
    this.dispose = () => {
      for (const stop of stops) stop();
    };
  }

  // ---- pixels

  private sourceAddress(document: Document | null): string {
    const at = document?.edit === PASTE ? document.other?.at : document?.at;
    return at && document?.things.length ? frameAddress(this.session.id, at) : "";
  }

  private behindAddress(document: Document | null): string {
    const { at, things, edit } = document ?? {};
    if (!at || !things?.length || (edit !== "move" && edit !== PASTE)) return "";
    if (edit === PASTE) return frameAddress(this.session.id, at);
    return withoutAddress(this.session.id, at, [...new Set(things.map(({ mask }) => mask))]);
  }

  private async load(
    into: Signal<{ readonly at: string; readonly shown: Shown } | null>,
    at: string | null,
  ): Promise<void> {
    if (!at) return;
    try {
      const shown = await this.stills.get(at);
      into.value = { at, shown };
    } catch (problem) {
      report({ session: this.session }, "things", problem);
    }
  }

  private async learn(mask: string): Promise<void> {
    if (this.known.peek().has(mask)) return;
    try {
      const { image, width, height } = await this.stills.get(maskAddress(this.session.id, mask));
      this.keep(mask, Selection.read(image, { width, height }));
    } catch (problem) {
      report({ session: this.session }, "things", problem);
    }
  }

  private keep(mask: string, selection: Selection): void {
    const kept = [...this.known.peek()].slice(-KEPT);
    this.known.value = new Map(kept).set(mask, selection);
  }

  // ---- selecting

  /** A place; once more with another tolerance, from what there was `before`. */
  async click(at: XY, joining: Joining, before: Before = this.before()): Promise<void> {
    const place = this.session.document.peek()?.at;
    if (!place) return;
    const [tolerance, by] = [this.tools.tolerance.peek(), this.tools.selector.peek()];
    const address = clickedAddress(this.session.id, place, at[0], at[1], tolerance, by);
    const after = await this.find(address, joining, "Select", before);
    this.clicked = after === null ? null : { at, joining, before, after };
  }

  /** The last click once more, with another tolerance, where nothing came after it. */
  async clickAgain(): Promise<void> {
    const { clicked } = this;
    const now = this.session.document.peek()?.things ?? [];
    if (clicked === null || JSON.stringify(now) !== clicked.after) return;
    await this.click(clicked.at, clicked.joining, clicked.before);
  }

  private before(): Before {
    return { things: this.session.document.peek()?.things ?? [], selected: this.selected.peek() };
  }

  async box(from: XY, to: XY, joining: Joining): Promise<void> {
    const place = this.session.document.peek()?.at;
    if (!place) return;
    const [x, y] = [Math.min(from[0], to[0]) + 0.5, Math.min(from[1], to[1]) + 0.5];
    const box = [x, y, Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])] as const;
    const address = boxedAddress(this.session.id, place, box, this.tools.selector.peek());
    await this.find(address, joining, "Select in box");
  }

  /** What the server selects; the things after that, as text. */
  private async find(
    address: string,
    joining: Joining,
    label: string,
    before?: Before,
  ): Promise<string | null> {
    this.busy.value = true;
    this.session.dismiss("things");
    try {
      const image = await getImage(address);
      const { width, height } = image;
      return await this.take(Selection.read(image, { width, height }), joining, label, before);
    } catch (problem) {
      report({ session: this.session }, "things", problem);
      return null;
    } finally {
      this.busy.value = false;
    }
  }

  /** Something was selected: a thing of its own, or more or less of the chosen one. */
  async take(
    selection: Selection,
    joining: Joining,
    label = "Select",
    { things, selected } = this.before(),
  ): Promise<string | null> {
    const index = joining === "new" ? null : selected;
    const chosen = things[index ?? -1];
    const old = chosen && this.known.peek().get(chosen.mask);
    if (joining === "subtract" && !old) return null;
    const joined = joining === "add" || joining === "subtract";
    const made = joined && old ? old.with(selection, joining) : selection;
    if (made.bounds === null) {
      if (index === null) this.session.report("things", "Nothing was selected there.");
      else this.remove(index);
      return null;
    }
    try {
      const values = made.values();
      const png = await encodeGrey({ ...made.size, values });
      const { mask } = await keepMask(
        this.session.id,
        new Blob([new Uint8Array(png)], { type: "image/png" }),
      );
      this.keep(mask, made);
      const next =
        index !== null && chosen
          ? things.with(index, { ...chosen, mask })
          : [...things, thingOf(mask)].slice(-MOST_THINGS);
      this.change(next, index === null ? label : "Change selection");
      if (index === null) this.selected.value = next.length - 1;
      return JSON.stringify(next);
    } catch (problem) {
      report({ session: this.session }, "things", problem);
      return null;
    }
  }

  // ---- changing

  place(index: number, { shift, scale, turn }: Placing, label: string): void {
    const things = this.session.document.peek()?.things ?? [];
    const thing = things[index];
    if (thing) this.change(things.with(index, { ...thing, shift: [...shift], scale, turn }), label);
  }

  putBack(index: number): void {
    this.place(index, { shift: [0, 0], scale: 1, turn: 0 }, "Put back");
  }

  remove(index: number): void {
    const things = this.session.document.peek()?.things ?? [];
    if (things[index]) this.change(things.toSpliced(index, 1), "Deselect");
  }

  clear(): void {
    this.change([], "Deselect all");
  }

  private change(things: Document["things"], label: string): void {
    this.clicked = null;
    this.session.dismiss("things");
    this.session.change({ label, things });
  }

  // ---- another task, another picture

  /** Another edit of the mode, with the settings of this one where they are the same. */
  task(edit: string): Pick<Change, "edit" | "settings"> {
    const { edit: before = "", settings = {} } = this.session.document.peek() ?? {};
    const [from, to] = [before, edit].map((name) =>
      this.session.welcome.peek()?.edits.find((each) => each.name === name),
    );
    const isAlike = from && to && hasPreset(from) && hasPreset(to);
    return isAlike ? { edit, settings: { ...settings[before] } } : { edit };
  }

  get canCopy(): boolean {
    const document = this.session.document.value;
    return document?.at != null && document.things.length > 0 && this.shown.value?.selects === true;
  }

  /** What is selected, to be pasted elsewhere or to give its looks. */
  copy(): Other | null {
    const { at, things } = this.session.document.peek() ?? {};
    if (!this.canCopy || !at || !things) return null;
    const other = { at, masks: things.map(({ mask }) => mask) };
    this.session.change({ label: "Copy", other });
    return other;
  }

  /** What was copied, into a frame: the present one if not given. */
  paste(copied: Other | null = null, into: Place | null = null): void {
    const document = this.session.document.peek();
    const [other, at] = [copied ?? document?.other, into ?? document?.at];
    const sizes = [other?.at, at].map(
      (place) => this.session.nodes.peek().find(({ id }) => id === place?.node)?.size,
    );
    const [from, to] = sizes;
    if (!other || !from || !to) return;
    const selections = other.masks.map((mask) => this.known.peek().get(mask) ?? null);
    const all = around(selections.map((each) => each?.bounds));
    const { by, scale } = pastedAt(all, sizeOf(from), sizeOf(to));
    const [middle, grown] = [middleOf(all), scale - 1];
    const pasted = other.masks.map((mask, index) => {
      const own = selections[index]?.middle ?? middle;
      const shift: XY = [by[0] + grown * (own[0] - middle[0]), by[1] + grown * (own[1] - middle[1])];
      return thingOf(mask, { shift, scale });
    });
    const before = copied === null && document?.edit === PASTE ? document.things : [];
    const next = [...before, ...pasted].slice(-MOST_THINGS);
    this.session.change({ label: "Paste", ...this.task(PASTE), things: next });
    this.selected.value = next.length - 1;
  }

  /** Go and select something in another picture, or in one that is opened next; `comeBack` leads here again. */
  leaveFor(place: Place | null): void {
    const { at, edit, things } = this.session.document.peek() ?? {};
    if (at && edit && things) this.origin.value ??= { place: at, edit, things };
    if (edit === PASTE) this.session.change({ label: "Select", ...this.task("move") });
    if (place) this.session.go(place, "keep");
  }

  comeBack(withCopy: boolean): void {
    const origin = this.origin.peek();
    if (origin === null) return;
    const copied = withCopy ? this.copy() : null;
    this.session.go(origin.place, "keep");
    if (origin.edit === PASTE && copied) this.paste(copied, origin.place);
    else this.session.change({ label: "Come back", ...this.task(origin.edit), things: origin.things });
    this.origin.value = null;
  }
}

const NOWHERE = { shift: [0, 0], scale: 1, turn: 0 } as const;

function sizeOf([width, height]: readonly [number, number]) {
  return { width, height };
}

function around(found: readonly (Bounds | null | undefined)[]): Bounds {
  const all = found.filter((each) => each != null);
  const side = (index: 0 | 1 | 2 | 3, pick: (...values: number[]) => number) =>
    pick(...all.map((each) => each[index]));
  return [side(0, Math.min), side(1, Math.min), side(2, Math.max), side(3, Math.max)];
}

/** The method is a setting; edits of which that is so have all settings in common. */
export function hasPreset({ settings }: EditInfo): boolean {
  return settings.some(({ name }) => name === "preset");
}

/** Some thing goes elsewhere. */
export function hasMoved({ things }: Pick<Document, "things">): boolean {
  return things.some(isPlaced);
}
