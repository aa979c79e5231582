/** What only opening a photo shows: how near the picture has come to it, and what is being done. */

import { factsAt } from "../store/reduce";
import { Curve } from "../ui/curve";
import { likenessWords, stageWords } from "../ui/words";
import type { ProgressProps, Special } from "./mode";

function InvertProgress({ facts, step }: ProgressProps) {
  const likeness = facts.map((each) => ({ step: each.step, value: each.psnr }));
  const now = factsAt(facts, step);
  return (
    <>
      {now?.stage && (
        <p data-testid="stage" aria-live="polite">
          {stageWords(now.stage)}
        </p>
      )}
      <Curve step={step} lines={[{ name: "Likeness", unit: " dB", kind: "main", points: likeness }]} />
      {now?.psnr != null && <p class="quiet">{likenessWords(now.psnr)}</p>}
    </>
  );
}

export const INVERT: Special = { Progress: InvertProgress };
