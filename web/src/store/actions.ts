/** What buttons and keys do, in the person's words. */

import type { Place, Point } from "../messages";
import { sameClasses } from "./labels";
import type { Studio } from "./studio";

/** Make a frame the start of what comes next; handles go where they were on it. */
export function startHere({ session, viewing }: Studio, place: Place): void {
  session.go(place, "follow");
  viewing.follow();
}

/** Let the run that has this frame go on from it. */
export function continueFrom(studio: Studio, place: Place): void {
  startHere(studio, place);
  studio.session.start(true);
}

/** Begin something else at a frame, with no points. */
export function branchFrom({ session, viewing }: Studio, place: Place): void {
  session.go(place, "clear");
  viewing.follow();
}

export function run(studio: Studio): void {
  if (studio.session.run.value !== null || studio.obstacle.value !== null) return;
  studio.viewing.follow();
  studio.session.dismiss("picture");
  const several = studio.mode.value?.edit.group ? studio.tools.candidates.value : 1;
  studio.session.start(false, several);
}

export function pauseOrResume({ session }: Studio): void {
  const state = session.run.value?.state;
  if (state === "paused") session.send({ type: "resume" });
  else if (state === "running") session.send({ type: "pause" });
}

/** What Escape does: the nearest thing that can be given up. */
export function giveUp({ session, viewing, tools, things }: Studio): void {
  if (tools.pending.value !== null) tools.pending.value = null;
  else if (session.run.value !== null) session.send({ type: "stop" });
  else if (viewing.style.value !== null) viewing.stopComparing();
  else {
    viewing.follow();
    things.selected.value = null;
  }
}

export function deletePoint(studio: Studio, index: number): void {
  const points = studio.session.document.value?.points ?? [];
  changePoints(studio, points.toSpliced(index, 1), "Delete point");
}

export function toggleLock(studio: Studio, index: number): void {
  const points = studio.session.document.value?.points ?? [];
  const point = points[index];
  if (point === undefined) return;
  const label = point.locked ? "Unlock point" : "Lock point";
  changePoints(studio, points.with(index, { ...point, locked: !point.locked }), label);
}

export function clearPoints(studio: Studio): void {
  changePoints(studio, [], "Clear points");
}

function changePoints({ session, editable }: Studio, points: readonly Point[], label: string): void {
  if (editable.value) session.change({ label, points });
}

export function changeFeather({ session, editable }: Studio, feather: number): void {
  const mask = session.document.value?.mask;
  if (mask && editable.value) session.change({ label: "Feather", mask: { ...mask, feather } });
}

/** While a key is held: the start of the run in place of the picture. */
export function holdCompare({ viewing }: Studio, held: boolean): void {
  if (held) viewing.style.value = "whole";
  else if (viewing.style.value === "whole") viewing.style.value = null;
}

/** The painted parts of this picture teach the model; where it has a head already, in that one's parts. */
export function keepLabel({ session, parts }: Studio): void {
  const known = parts.known.value;
  const classes = session.state.value?.labelling.classes ?? [];
  session.dismiss("parts");
  if (known && !sameClasses(known.classes, classes)) {
    session.send({ type: "set_classes", classes: known.classes });
  }
  session.send({ type: "add_label" });
}

const SEEDS = 2 ** 32;

/** Another picture of the model that made this one. */
export function nextSample({ session, viewing }: Studio): void {
  const model = viewing.node.value?.model ?? null;
  if (model === null) return;
  viewing.follow();
  session.send({ type: "sample", model, seed: Math.floor(Math.random() * SEEDS) });
}

export function train({ session }: Studio): void {
  session.trained.value = null;
  session.dismiss("parts");
  session.send({ type: "train_head" });
}
