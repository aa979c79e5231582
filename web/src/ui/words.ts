/** Numbers and states as sentences. */

import type { Ended, RunInfo } from "../messages";

export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.max(Math.round(seconds), 1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** A phrase with a capital and a full stop. */
export function sentence(phrase: string): string {
  return phrase && `${phrase.charAt(0).toUpperCase()}${phrase.slice(1).replace(/\.?$/, ".")}`;
}

/** What the run bar says of a run in progress. */
export function runWords(run: RunInfo): string {
  if (run.state === "waiting") {
    return run.position > 0 ? `Waiting: ${count(run.position, "run")} before yours` : "Getting ready …";
  }
  const which = run.candidates > 1 ? `Result ${run.candidate} of ${run.candidates}: step` : "Step";
  const of = run.max_steps === null ? "" : ` of ${run.max_steps}`;
  return `${run.state === "paused" ? "Paused at step" : which} ${run.step}${of}`;
}

const REASONS: Readonly<Record<Ended["reason"], string>> = {
  arrived: "Arrived",
  max_steps: "Reached the limit",
  interrupted: "Stopped",
  failed: "Failed",
};

/** The first frame of a run is its start and counts as no step. */
export function endWords({ reason, steps }: Ended): string {
  return `${REASONS[reason]} after ${count(Math.max(steps - 1, 0), "step")}`;
}

const STAGES: Readonly<Record<string, string>> = {
  start: "Looking for a start",
  w: "Finding the picture",
  "w+": "Refining each layer",
  tune: "Tuning the model to your photo",
  invert: "Looking at the photo",
  drag: "Dragging",
  edit: "Making the new one",
};

/** What a run is doing. */
export function stageWords(stage: string): string {
  return STAGES[stage] ?? stage;
}

/** Decibels of likeness as a person sees them. */
export function likenessWords(psnr: number): string {
  if (psnr < 18) return "Still another picture";
  if (psnr < 24) return "The features are there";
  return psnr < 30 ? "Close to the photo" : "Hardly to be told from the photo";
}

/** "just now", "5 min ago", "Nov 3". */
export function ago(seconds: number, now = Date.now() / 1000): string {
  const age = now - seconds;
  if (age < 60) return "just now";
  if (age < 3600) return `${Math.floor(age / 60)} min ago`;
  if (age < 86_400) return `${Math.floor(age / 3600)} h ago`;
  return new Date(seconds * 1000).toLocaleDateString(undefined, { month: "short", day: "numeric" });
}
