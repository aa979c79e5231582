/** What only dragging shows: the ways of the handles, how far they still have to go, and the strain. */

import { factsAt, meanDistance, trails } from "../store/reduce";
import { Curve } from "../ui/curve";
import { StrainMeter } from "../ui/strain";
import type { ProgressProps, Special } from "./mode";

function DragProgress({ facts, step }: ProgressProps) {
  const distances = facts.map((each) => ({ step: each.step, value: meanDistance(each) }));
  const losses = facts.map((each) => ({ step: each.step, value: each.loss }));
  return (
    <>
      <Curve
        step={step}
        lines={[
          { name: "Distance", unit: " px", kind: "main", points: distances },
          { name: "Loss", unit: "", kind: "second", points: losses },
        ]}
      />
      <StrainMeter strain={factsAt(facts, step)?.strain ?? null} />
    </>
  );
}

export const DRAG = {
  Progress: DragProgress,
  marks: (facts, step) => ({ tracked: factsAt(facts, step)?.handles ?? [], trails: trails(facts, step) }),
} satisfies Special;
