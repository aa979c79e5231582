/**
 * A mode of the editor, made from an entry of the catalogue.
 *
 * Its inputs decide which tools and panels there are (`inputs.tsx`), its settings become a form. `Special` is what only this
 * edit shows; most need none. A new edit with known inputs works without a line of this code.
 */

import type { ComponentType } from "preact";
import type { Tool } from "../canvas/model";
import type { Document, EditInfo, NodeInfo, StepFacts } from "../messages";
import type { XY } from "../store/reduce";
import { type InputPart, inputOf } from "./inputs";
import { SPECIAL } from "./special";

/** What the steps of a run put on the canvas. */
export interface RunMarks {
  /** Where each handle is now. */
  readonly tracked: readonly XY[];
  readonly trails: readonly (readonly XY[])[];
}

export interface ProgressProps {
  readonly facts: readonly StepFacts[];
  /** The step that is shown. */
  readonly step: number;
}

export interface Special {
  /** Panel with what a run measures. */
  readonly Progress?: ComponentType<ProgressProps>;
  readonly marks?: (facts: readonly StepFacts[], step: number) => RunMarks;
}

export interface Mode {
  readonly edit: EditInfo;
  readonly tools: readonly Tool[];
  readonly inputs: readonly InputPart[];
  readonly special: Special;
}

export function makeMode(edit: EditInfo): Mode {
  const inputs = edit.inputs.map((kind) => inputOf(edit, kind));
  return {
    edit,
    inputs,
    tools: [...inputs.flatMap(({ tool }) => tool ?? []), "pan"],
    special: SPECIAL[edit.name] ?? {},
  };
}

const KINDS: Readonly<Record<string, string>> = {
  latent: "generated picture",
  pixels: "photo",
  diffusion: "edited photo",
  vector: "drawing",
};

function kindInWords(kind: string): string {
  return KINDS[kind] ?? `${kind} picture`;
}

/** Why the mode cannot run on this document; null when it can. */
export function obstacle(mode: Mode, document: Document, node: NodeInfo | null): string | null {
  const { edit, inputs } = mode;
  if (node === null) return "Choose a picture first.";
  if (!edit.pictures.includes(node.kind))
    return `${edit.title} needs a ${edit.pictures.map(kindInWords).join(" or ")}; this is a ${kindInWords(node.kind)}.`;
  const missing = inputs.find((input) => !edit.optional.includes(input.kind) && !input.given(document));
  return missing?.wanted ?? null;
}
