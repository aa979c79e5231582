/** A few quantities over the steps of a run, each on a scale of its own from zero. */

export interface Line {
  readonly name: string;
  readonly unit: string;
  readonly kind: "main" | "second";
  readonly points: readonly { readonly step: number; readonly value: number | null }[];
}

const WIDTH = 256;
const HEIGHT = 72;
const TOP = 4;

/** SVG path of the values, those below zero at the bottom; gaps where there is none. */
export function pathOf(points: Line["points"], lastStep: number): string {
  const highest = Math.max(...points.map(({ value }) => value ?? 0), Number.MIN_VALUE);
  let pen = "M";
  return points
    .map(({ step, value }) => {
      if (value === null) {
        pen = "M";
        return "";
      }
      const x = (step / Math.max(lastStep, 1)) * WIDTH;
      const y = HEIGHT - (Math.max(value, 0) / highest) * (HEIGHT - TOP);
      const part = `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = "L";
      return part;
    })
    .join("");
}

function valueAt({ points, unit }: Line, step: number): string {
  const value = points.findLast((each) => each.step <= step)?.value ?? null;
  return value === null ? "–" : `${value.toPrecision(3)}${unit}`;
}

export function Curve({ lines, step }: { lines: readonly Line[]; step: number }) {
  const last = Math.max(0, ...lines.map(({ points }) => points.at(-1)?.step ?? 0));
  const x = (step / Math.max(last, 1)) * WIDTH;
  const words = lines.map((line) => `${line.name} ${valueAt(line, step)}`).join(", ");
  return (
    <figure class="curve" data-testid="curve">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`At step ${step}: ${words}`}
      >
        {last > 0 && <line class="curve-now" x1={x} x2={x} y1={0} y2={HEIGHT} />}
        {lines.toReversed().map((line) => (
          <path key={line.name} class={`curve-${line.kind}`} d={pathOf(line.points, last)} />
        ))}
      </svg>
      <figcaption>
        {lines.map((line) => (
          <span key={line.name} class={`curve-label ${line.kind}`}>
            {line.name} <output>{valueAt(line, step)}</output>
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
