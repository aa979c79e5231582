/** The photo that a model should make: its faces, and which part of it was chosen. */

import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { CropBox, CropShown } from "../canvas/model";
import type { Crop, Face, ModelInfo } from "../messages";
import type { Mode } from "../modes/mode";
import { getFaces } from "./api";
import type { Session } from "./session";

/** Faces of a photo; null while they are looked for. */
export type Found = readonly Face[] | null;

export const NO_FACE = "No face was found; draw a box around what the model should make.";

export class Photo {
  readonly dispose: () => void;
  /** The model that will make it. */
  readonly model: ReadonlySignal<ModelInfo | null>;
  readonly found: ReadonlySignal<Found>;
  /** Null where there is no photo to be opened. */
  readonly crop: ReadonlySignal<CropShown | null>;
  /** Why it cannot be opened yet. */
  readonly obstacle: ReadonlySignal<string | null>;
  private readonly known: Signal<ReadonlyMap<string, readonly Face[]>> = signal(new Map());

  constructor(
    private readonly session: Session,
    mode: ReadonlySignal<Mode | null>,
  ) {
    const { document, nodes, welcome } = session;
    this.model = computed(() => {
      const models = welcome.value?.models ?? [];
      return models.find(({ name }) => name === document.value?.model) ?? models[0] ?? null;
    });
    const wanted = computed(() => {
      const node = nodes.value.find(({ id }) => id === document.value?.at?.node);
      const edit = mode.value?.edit;
      const takesCrop = node && edit?.inputs.includes("crop") && edit.pictures.includes(node.kind);
      const model = this.model.value?.name;
      return takesCrop && model ? `${node.id} ${model}` : "";
    });
    this.found = computed(() => this.known.value.get(wanted.value) ?? null);
    this.crop = computed(() =>
      wanted.value === "" ? null : shownCrop(this.found.value ?? [], document.value?.crop ?? null),
    );
    this.obstacle = computed(() => {
      const crop = this.crop.value;
      if (crop === null || crop.face !== null || crop.box !== null) return null;
      return unchosen(this.found.value);
    });
    this.dispose = effect(() => void this.look(wanted.value));
  }

  choose(crop: { readonly face: number } | { readonly box: CropBox }, label: string): void {
    this.session.dismiss("picture");
    this.session.change({ label, crop: { face: null, box: null, ...crop } });
  }

  private async look(key: string): Promise<void> {
    if (key === "" || this.known.peek().has(key)) return;
    const [node, model] = split(key);
    let faces: readonly Face[] = [];
    try {
      faces = await getFaces(this.session.id, node, model);
    } catch (problem) {
      this.session.report("picture", (problem as Error).message);
    }
    this.known.value = new Map(this.known.peek()).set(key, faces);
  }
}

/** Names of nodes have no space. */
function split(key: string): readonly [string, string] {
  const space = key.indexOf(" ");
  return [key.slice(0, space), key.slice(space + 1)];
}

/** Without a choice the only face is chosen. */
export function shownCrop(faces: readonly Face[], crop: Crop | null): CropShown {
  const box = crop?.box ?? null;
  const alone = faces.length === 1 ? 0 : null;
  return {
    faces: faces.map(({ corners }) => corners),
    face: box === null ? (crop?.face ?? alone) : null,
    box,
  };
}

function unchosen(found: Found): string {
  if (found === null) return "Looking for faces …";
  return found.length === 0 ? NO_FACE : "Choose a face, or draw a box.";
}

/** Side in pixels of the photo of what was chosen; null without a choice. */
export function sideOf({ faces, face, box }: CropShown): number | null {
  if (box !== null) return box[2];
  const [from, to] = faces[face ?? -1] ?? [];
  return from && to ? Math.round(Math.hypot(to[0] - from[0], to[1] - from[1])) : null;
}
