/** What messages and gestures do to what the page knows: functions without side effects. */

import type { Change, Document, Place, Problem, StepFacts } from "../messages";

export type XY = readonly [number, number];

/** The mode whose things are those of another picture. */
export const PASTE = "paste";

/** The document as it will be once the server has taken a change. A mask or part map that is still a PNG has no hash yet. */
export function apply(document: Document, change: Change): Document {
  const edit = change.edit ?? document.edit;
  const isOfAnother = (edit === PASTE) !== (document.edit === PASTE);
  let mask = document.mask;
  if (change.clear_mask) mask = null;
  else if (change.mask && typeof change.mask !== "string") mask = change.mask;
  return {
    ...document,
    edit,
    points: change.points ?? document.points,
    mask,
    parts: change.clear_parts ? null : document.parts,
    vectors: change.vectors ?? document.vectors,
    model: change.model ?? document.model,
    crop: change.crop ?? document.crop,
    prompts: change.prompts ?? document.prompts,
    words: change.words ?? document.words,
    layers: change.layers ?? document.layers,
    boxes: change.boxes ?? document.boxes,
    things: change.things ?? (isOfAnother ? [] : document.things),
    other: change.other ?? document.other,
    prompt: change.prompt ?? document.prompt,
    diffuser: change.diffuser ?? document.diffuser,
    candidates: change.clear_candidates ? [] : document.candidates,
    settings: change.settings ? { ...document.settings, [edit]: change.settings } : document.settings,
  };
}

function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** Gestures that the server's document does not have yet: those after the last one that it shows. */
export function unanswered(document: Document, sent: readonly Change[]): readonly Change[] {
  const answered = sent.findLastIndex((change) => same(apply(document, change), document));
  return sent.slice(answered + 1);
}

export function samePlace(left: Place | null, right: Place | null): boolean {
  return left === right || (left?.node === right?.node && left?.step === right?.step);
}

/** Facts of more steps, in the order of steps; a step that comes again takes the place of its first report. */
export function mergeFacts(known: readonly StepFacts[], more: readonly StepFacts[]): readonly StepFacts[] {
  const last = known.at(-1)?.step ?? -1;
  if (more.every((each, index) => each.step > (more[index - 1]?.step ?? last))) return [...known, ...more];
  const byStep = new Map([...known, ...more].map((each) => [each.step, each]));
  return [...byStep.values()].sort((left, right) => left.step - right.step);
}

/** The facts of a step, or of the last one before it. */
export function factsAt(facts: readonly StepFacts[], step: number): StepFacts | null {
  return facts.findLast((each) => each.step <= step) ?? null;
}

/** The way that each handle went, from the first step to this one. */
export function trails(facts: readonly StepFacts[], step: number): readonly (readonly XY[])[] {
  const seen = facts.filter((each) => each.step <= step);
  const count = seen.at(-1)?.handles.length ?? 0;
  return Array.from({ length: count }, (_, handle) =>
    seen.flatMap((each) => (each.handles[handle] ? [each.handles[handle]] : [])),
  );
}

export function meanDistance(facts: StepFacts): number | null {
  if (facts.distances.length === 0) return null;
  return facts.distances.reduce((sum, each) => sum + each, 0) / facts.distances.length;
}

/** The newest problem of each part of the page. */
export function withProblem(problems: readonly Problem[], problem: Problem): readonly Problem[] {
  return [...problems.filter((each) => each.about !== problem.about), problem];
}
