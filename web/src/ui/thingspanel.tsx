/** What was selected, as a list: where each thing goes, put back, deselect, copy and paste. */

import { isPlaced } from "../canvas/placing";
import type { Thing } from "../messages";
import { PASTE } from "../store/reduce";
import { useStudio } from "./context";
import { Button, IconButton, Section } from "./controls";
import { Icon } from "./icons";
import { Problems } from "./problems";

/** "12, -5 · 120 % · 15°". */
export function placeWords({ shift, scale, turn }: Thing): string {
  const parts = [
    (shift[0] !== 0 || shift[1] !== 0) && `${Math.round(shift[0])}, ${Math.round(shift[1])}`,
    scale !== 1 && `${Math.round(100 * scale)} %`,
    turn !== 0 && `${Math.round(turn)}°`,
  ];
  return parts.filter(Boolean).join(" · ");
}

function Row({ thing, index }: { thing: Thing; index: number }) {
  const { things, editable } = useStudio();
  const selected = things.selected.value === index;
  const movable = things.shown.value?.movable === true;
  return (
    <li class="box-row" data-selected={selected} data-testid={`thing-${index + 1}`}>
      <button
        type="button"
        class="box-select"
        aria-pressed={selected}
        aria-label={`Thing ${index + 1}`}
        data-testid={`thing-${index + 1}-select`}
        onClick={() => {
          things.selected.value = index;
        }}
      >
        <span class="box-number">{index + 1}</span>
        <span class="quiet">{(movable && placeWords(thing)) || "Selected"}</span>
      </button>
      {movable && isPlaced(thing) && (
        <IconButton
          testid={`thing-${index + 1}-reset`}
          icon="reset"
          label={`Put thing ${index + 1} back`}
          disabled={!editable.value}
          onClick={() => things.putBack(index)}
        />
      )}
      <IconButton
        testid={`thing-${index + 1}-delete`}
        icon="trash"
        label={`Deselect thing ${index + 1}`}
        tip="Deselect (Del)"
        disabled={!editable.value}
        onClick={() => things.remove(index)}
      />
    </li>
  );
}

export function ThingsPanel() {
  const { things, session, editable } = useStudio();
  const { things: all = [], other, edit } = session.document.value ?? {};
  const pasting = edit === PASTE;
  const actions = (
    <div class="bar-group">
      {things.canCopy && (
        <Button
          testid="things-copy"
          label="Copy"
          tip="Ctrl+C"
          disabled={!editable.value}
          onClick={() => things.copy()}
        />
      )}
      {other && (pasting || things.shown.value?.movable) && (
        <Button
          testid="things-paste"
          label="Paste"
          tip="Ctrl+V"
          disabled={!editable.value}
          onClick={() => things.paste()}
        />
      )}
      {all.length > 0 && (
        <Button
          testid="things-clear"
          label="Clear"
          disabled={!editable.value}
          onClick={() => things.clear()}
        />
      )}
    </div>
  );
  return (
    <Section name="things" title={pasting ? "Pasted" : "Selection"} actions={actions}>
      {all.length === 0 ? (
        <p class="empty">
          <Icon name="things" />
          {pasting
            ? "What you copied in another picture is pasted here."
            : "Click a thing, or draw around it."}
        </p>
      ) : (
        <ol class="box-list" data-testid="things">
          {all.map((thing, index) => (
            <Row key={index} thing={thing} index={index} />
          ))}
        </ol>
      )}
      <Problems about={["things"]} />
    </Section>
  );
}
