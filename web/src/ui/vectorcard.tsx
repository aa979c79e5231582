/** One learnt edit: this picture with it, and how much of it. */

import type { Place, VectorInfo } from "../messages";
import { vectorAddress } from "../store/api";
import { fromSlider, isBeyond, rangeOf, readStrength, shownStrength, signed } from "../store/vectors";
import { useStudio } from "./context";
import { IconButton, Slider, TextField, useDraft } from "./controls";
import { Preview } from "./still";

const THUMB_WIDTH = 160;

interface CardProps {
  readonly vector: VectorInfo;
  readonly place: Place;
  readonly strength: number;
  readonly disabled: boolean;
  /** While the slider moves. */
  readonly onMove: (strength: number) => void;
  readonly onSet: (strength: number) => void;
}

function Beyond({ vector, strength }: { vector: VectorInfo; strength: number }) {
  if (!isBeyond(vector, strength)) return null;
  const { low, high } = rangeOf(vector);
  return (
    <p class="vector-warning" data-testid={`vector-${vector.name}-warning`}>
      Works from {signed(low)} to {signed(high)}; beyond, pictures may break.
    </p>
  );
}

export function VectorCard({ vector, place, strength, disabled, onMove, onSet }: CardProps) {
  const { session } = useStudio();
  const draft = useDraft(strength);
  const { name } = vector;
  const range = rangeOf(vector);
  const shown = shownStrength(vector, strength);
  return (
    <li class="vector" data-on={strength !== 0} data-testid={`vector-${name}`}>
      <span class="vector-picture">
        <Preview src={vectorAddress(session.id, place, name, shown, THUMB_WIDTH)} />
        <span class="badge">{signed(shown)}</span>
        {vector.own && <span class="badge own-badge">Yours</span>}
      </span>
      <span class="vector-head">
        <span class="vector-name" title={name}>
          {name}
        </span>
        {strength !== 0 && (
          <IconButton
            testid={`vector-${name}-reset`}
            icon="reset"
            label={`Reset ${name}`}
            disabled={disabled}
            onClick={() => onSet(0)}
          />
        )}
      </span>
      <div class="number-control">
        <Slider
          testid={`vector-${name}-slider`}
          label={name}
          text={signed(draft.value)}
          value={draft.value}
          origin={0}
          low={range.low}
          high={range.high}
          step={range.step}
          disabled={disabled}
          onInput={(value) => {
            draft.set(fromSlider(range, value));
            onMove(fromSlider(range, value));
          }}
          onChange={(value) => {
            draft.drop();
            onSet(fromSlider(range, value));
          }}
        />
        <TextField
          testid={`vector-${name}-strength`}
          label={`${name}, strength`}
          value={String(draft.value)}
          numeric
          disabled={disabled}
          onDone={(text) => {
            const typed = readStrength(text);
            if (typed !== null) onSet(typed);
          }}
        />
      </div>
      <Beyond vector={vector} strength={draft.value} />
    </li>
  );
}
