/** How far a run has left what the model knows. */

/** The meter's right end. */
const MOST = 3;

export type Level = "fine" | "high" | "far";

export function levelOf(strain: number): Level {
  if (strain <= 1) return "fine";
  return strain <= 2.5 ? "high" : "far";
}

const WORDS: Readonly<Record<Level, string>> = {
  fine: "Within what the model knows",
  high: "Leaving what the model knows",
  far: "Far outside: expect artefacts",
};

export function StrainMeter({ strain }: { strain: number | null }) {
  const level = levelOf(strain ?? 0);
  const filled = `${(Math.min(strain ?? 0, MOST) / MOST) * 100}%`;
  return (
    <div class="strain" data-level={level} data-testid="strain-meter">
      <div class="strain-head">
        <span>Strain</span>
        <output data-testid="strain-value">{strain === null ? "–" : strain.toFixed(2)}</output>
      </div>
      <div
        class="strain-track"
        role="meter"
        aria-label="Strain"
        aria-valuemin={0}
        aria-valuemax={MOST}
        aria-valuenow={strain ?? 0}
        aria-valuetext={strain === null ? "not measured" : `${strain.toFixed(2)}, ${WORDS[level]}`}
      >
        <div class="strain-bar" style={{ width: filled }} />
        <div class="strain-limit" />
      </div>
      <p class="quiet">{strain === null ? "Measured while a run goes on." : WORDS[level]}</p>
    </div>
  );
}
