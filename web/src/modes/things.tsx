/** What edits of things show: what is being done, and how far the picture still is from what was asked. */

import { factsAt, meanDistance } from "../store/reduce";
import { Curve } from "../ui/curve";
import { stageWords } from "../ui/words";
import type { ProgressProps, Special } from "./mode";

function ThingsProgress({ facts, step }: ProgressProps) {
  const energies = facts.map(({ step, energy }) => ({ step, value: energy || null }));
  const distances = facts.map((each) => ({ step: each.step, value: meanDistance(each) }));
  const stage = factsAt(facts, step)?.stage;
  return (
    <>
      {stage && (
        <p data-testid="stage" aria-live="polite">
          {stageWords(stage)}
        </p>
      )}
      {distances.some(({ value }) => value !== null) && (
        <Curve step={step} lines={[{ name: "Distance", unit: " px", kind: "main", points: distances }]} />
      )}
      {energies.some(({ value }) => value !== null) && (
        <Curve step={step} lines={[{ name: "Still to go", unit: "", kind: "main", points: energies }]} />
      )}
    </>
  );
}

export const THINGS: Special = { Progress: ThingsProgress };
