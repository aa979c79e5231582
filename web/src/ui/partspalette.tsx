/** The parts to paint with: colour, name, and how much of the picture each has. */

import type { PartClass } from "../messages";
import { useStudio } from "./context";
import { tipFor } from "./tip";

export function colourOf({ colour }: PartClass): string {
  return `rgb(${colour.join(" ")})`;
}

/** "12 %", "0.4 %", or nothing for a part that the picture does not have. */
export function percentOf(share: number): string {
  const percent = 100 * share;
  if (percent === 0) return "";
  return `${percent >= 10 ? Math.round(percent) : Math.max(percent, 0.1).toFixed(1)} %`;
}

/** More parts than these stand in two columns. */
const FEW = 9;
/** Parts that have a key, which is their number. */
const KEYED = 9;

export function PartsPalette({ classes }: { classes: readonly PartClass[] }) {
  const { tools, parts } = useStudio();
  return (
    <div
      class="palette"
      data-many={classes.length > FEW}
      role="radiogroup"
      aria-label="Part to paint with"
      data-testid="parts-palette"
    >
      {classes.map((part, id) => (
        <label
          key={id}
          class="part"
          data-testid={`part-${id}`}
          {...tipFor(id < KEYED ? `${part.name} (${id + 1})` : part.name)}
        >
          <input
            type="radio"
            name="part"
            checked={tools.part.value === id}
            onChange={() => tools.takePart(id)}
          />
          <span class="part-swatch" style={{ background: colourOf(part) }} />
          <span class="part-name">{part.name}</span>
          <span class="part-share">{percentOf(parts.shares.value[id] ?? 0)}</span>
        </label>
      ))}
    </div>
  );
}
