/** What only repainting shows: how much of the paint the picture has followed, and the strain. */

import { factsAt } from "../store/reduce";
import { Curve } from "../ui/curve";
import { StrainMeter } from "../ui/strain";
import type { ProgressProps, Special } from "./mode";

function RepaintProgress({ facts, step }: ProgressProps) {
  const agreements = facts.map(({ step, agreement }) => ({
    step,
    value: agreement === null ? null : 100 * agreement,
  }));
  const losses = facts.map(({ step, loss }) => ({ step, value: loss }));
  return (
    <>
      <Curve
        step={step}
        lines={[
          { name: "As painted", unit: " %", kind: "main", points: agreements },
          { name: "Loss", unit: "", kind: "second", points: losses },
        ]}
      />
      <StrainMeter strain={factsAt(facts, step)?.strain ?? null} />
    </>
  );
}

export const REPAINT: Special = { Progress: RepaintProgress };
