/** What the tool for things does with the pointer, over the canvas. */

import type { ThingAction } from "../canvas/model";
import { BrushSize } from "./brushsize";
import { useStudio } from "./context";
import { IconButton, Slider } from "./controls";
import type { IconName } from "./icons";

const ACTIONS: readonly { action: ThingAction; icon: IconName; label: string; tip: string }[] = [
  { action: "move", icon: "things", label: "Move", tip: "Move, resize and turn (V)" },
  { action: "click", icon: "wand", label: "Click", tip: "Click a thing to select it (W)" },
  { action: "box", icon: "marquee", label: "Box", tip: "Draw a box around a thing (R)" },
  { action: "lasso", icon: "lasso", label: "Lasso", tip: "Draw the line around a thing (L)" },
  { action: "brush", icon: "brush", label: "Brush", tip: "Paint a thing (B); Alt takes away" },
];

function Tolerance() {
  const { tools, things } = useStudio();
  return (
    <label class="option">
      <span>Tolerance</span>
      <Slider
        testid="tolerance"
        label="How different colours are selected"
        value={tools.tolerance.value}
        low={0}
        high={1}
        step={0.01}
        text={`${Math.round(100 * tools.tolerance.value)} %`}
        onInput={(value) => {
          tools.tolerance.value = value;
        }}
        onChange={() => void things.clickAgain()}
      />
    </label>
  );
}

/** What looks for things; nothing where there is no choice. */
function Selector() {
  const { tools, session } = useStudio();
  const names = session.welcome.value?.selectors ?? [];
  if (names.length === 0) return null;
  return (
    <select
      class="field"
      aria-label="What finds things"
      data-testid="selector"
      value={tools.selector.value ?? ""}
      onChange={(event) => {
        tools.selector.value = event.currentTarget.value || null;
      }}
    >
      <option value="">Colours and edges</option>
      {names.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  );
}

export function ThingsOptions() {
  const { tools, things, editable, session } = useStudio();
  const action = tools.thingAction.value;
  if (!editable.value || !things.shown.value?.selects)
    return (
      <p class="quiet" data-testid="things-options">
        {session.run.value !== null
          ? "Things can be changed again when the run has ended."
          : editable.value
            ? "Pull what was pasted to its place; corners resize it, the knob turns it."
            : "Start here to select things of this frame."}
      </p>
    );
  return (
    <div class="options" role="toolbar" aria-label="Select" data-testid="things-options">
      <div class="bar-group part-actions">
        {ACTIONS.map(({ action: each, ...looks }) => (
          <IconButton
            key={each}
            testid={`things-${each}`}
            {...looks}
            pressed={action === each}
            onClick={() => {
              tools.thingAction.value = each;
            }}
          />
        ))}
      </div>
      {(action === "click" || action === "box") && <Selector />}
      {action === "click" && tools.selector.value === null && <Tolerance />}
      {action === "brush" && <BrushSize />}
      {action === "brush" && (
        <IconButton
          testid="things-erase"
          icon="erase"
          label="Erase"
          tip="Erase (E, or hold Alt)"
          pressed={tools.brush.value.erase}
          onClick={() => tools.setBrush({ erase: !tools.brush.value.erase })}
        />
      )}
      <span class="quiet options-hint">
        {things.busy.value
          ? "Looking …"
          : action === "move"
            ? "Pull a thing; arrow keys nudge it."
            : "Shift adds, Alt takes away."}
      </span>
    </div>
  );
}
