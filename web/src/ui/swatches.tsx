/** The colours of a drawing, those that most is seen of first; what is chosen anew changes every path in it. */

import { useState } from "preact/hooks";
import type { Drawing, Swatch } from "../messages";
import { useStudio } from "./context";
import { Button } from "./controls";
import { count } from "./words";

const FEW = 32;

function Chip({ swatch }: { swatch: Swatch }) {
  const { layers, editable } = useStudio();
  const { number, colour, paths } = swatch;
  const now = layers.colourOf(number, colour);
  return (
    <label class="swatch" data-changed={now !== colour} title={`${now}: ${count(paths, "path")}`}>
      <input
        type="color"
        value={now}
        disabled={!editable.value}
        aria-label={`Colour ${now} of ${count(paths, "path")}`}
        data-testid={`swatch-${number}`}
        onInput={(event) => layers.moveColour(number, colour, event.currentTarget.value)}
        onChange={(event) => layers.recolour(number, colour, event.currentTarget.value)}
      />
    </label>
  );
}

export function Swatches({ drawing }: { drawing: Drawing }) {
  const [all, setAll] = useState(false);
  const { swatches, colours } = drawing;
  const shown = all ? swatches : swatches.slice(0, FEW);
  const unlisted = colours - swatches.length;
  return (
    <div class="swatches" role="group" aria-label="Colours" data-testid="swatches">
      {shown.map((swatch) => (
        <Chip key={swatch.number} swatch={swatch} />
      ))}
      {!all && swatches.length > FEW && (
        <Button testid="swatches-more" label={`${swatches.length - FEW} more`} onClick={() => setAll(true)} />
      )}
      {all && unlisted > 0 && <p class="quiet">{count(unlisted, "colour")} more, of few paths.</p>}
    </div>
  );
}
