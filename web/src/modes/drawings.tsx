/** What runs on drawings show: how much what each prompt is about looks as it says; how like its photo a traced one is. */

import { factsAt } from "../store/reduce";
import { useStudio } from "../ui/context";
import { Curve } from "../ui/curve";
import type { ProgressProps, Special } from "./mode";

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, each) => sum + each, 0) / values.length;
}

/** Of a cosine; below 0 where a picture leads away from the words. */
function percent(agreement: number): number {
  return 100 * agreement;
}

function WordsProgress({ facts, step }: ProgressProps) {
  const { prompts } = useStudio();
  const agreements = facts.map(({ step, agreements }) => ({ step, value: mean(agreements.map(percent)) }));
  const losses = facts.map(({ step, loss }) => ({ step, value: loss }));
  const now = factsAt(facts, step)?.agreements ?? [];
  return (
    <>
      <Curve
        step={step}
        lines={[
          { name: "As the words say", unit: " %", kind: "main", points: agreements },
          { name: "Loss", unit: "", kind: "second", points: losses },
        ]}
      />
      {now.length > 1 && (
        <ol class="agreements quiet" data-testid="agreements">
          {now.map((agreement, index) => (
            <li key={index}>
              <span>{prompts.all.value[index]?.text ?? `Words ${index + 1}`}</span>
              <output>{percent(agreement).toFixed(0)} %</output>
            </li>
          ))}
        </ol>
      )}
    </>
  );
}

function TraceProgress({ facts, step }: ProgressProps) {
  const likeness = facts.map((each) => ({ step: each.step, value: each.psnr }));
  return <Curve step={step} lines={[{ name: "Likeness", unit: " dB", kind: "main", points: likeness }]} />;
}

export const RESTYLE: Special = { Progress: WordsProgress };
export const DRAW: Special = { Progress: WordsProgress };
export const TRACE: Special = { Progress: TraceProgress };
