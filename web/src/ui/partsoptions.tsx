/** What the parts tool does with the pointer, over the canvas. */

import type { PartsAction } from "../canvas/model";
import type { Studio } from "../store/studio";
import { BrushSize } from "./brushsize";
import { useStudio } from "./context";
import { IconButton } from "./controls";
import type { IconName } from "./icons";
import { colourOf } from "./partspalette";

const ACTIONS: readonly { action: PartsAction; icon: IconName; label: string; tip: string }[] = [
  { action: "paint", icon: "brush", label: "Paint", tip: "Paint (B); Shift-click draws a straight line" },
  {
    action: "fill",
    icon: "fill",
    label: "Fill",
    tip: "Fill a region (G); with Shift all that is the same part",
  },
  { action: "erase", icon: "erase", label: "Erase", tip: "Erase: back to the picture's own parts (E)" },
  { action: "pick", icon: "pick", label: "Pick", tip: "Pick the part under the pointer (I, or Alt-click)" },
];

/** Why nothing can be painted; null when something can. */
function hindrance({ session, viewing, editable, parts }: Studio): string | null {
  if (session.run.value !== null) return "The parts can be painted when the run has ended.";
  if (viewing.looking.value !== null) return "Start here to paint on this frame.";
  if (!editable.value) return "This picture has no parts to paint.";
  if (parts.known.value?.classes.length === 0) return "Name the parts first.";
  return parts.shown.value === null ? "Looking for the parts of the picture …" : null;
}

function InHand() {
  const { tools, parts } = useStudio();
  const part = parts.shown.value?.classes[tools.part.value];
  return (
    part && (
      <span class="part-in-hand" data-testid="part-in-hand">
        <span class="part-swatch" style={{ background: colourOf(part) }} />
        <span>{part.name}</span>
      </span>
    )
  );
}

export function PartsOptions() {
  const studio = useStudio();
  const { tools } = studio;
  const hindered = hindrance(studio);
  const visible = tools.partsVisible.value;
  if (hindered !== null)
    return (
      <p class="quiet" data-testid="parts-options">
        {hindered}
      </p>
    );
  return (
    <div class="options" role="toolbar" aria-label="Parts" data-testid="parts-options">
      <div class="bar-group part-actions">
        {ACTIONS.map(({ action, ...looks }) => (
          <IconButton
            key={action}
            testid={`parts-${action}`}
            {...looks}
            pressed={tools.partsAction.value === action}
            onClick={() => {
              tools.partsAction.value = action;
            }}
          />
        ))}
      </div>
      <InHand />
      <BrushSize />
      <div class="option-buttons">
        <IconButton
          testid="parts-visible"
          icon={visible ? "eye" : "eyeOff"}
          label={visible ? "Hide the parts" : "Show the parts"}
          tip={visible ? "Hide the parts (M)" : "Show the parts (M)"}
          pressed={!visible}
          onClick={() => {
            tools.partsVisible.value = !visible;
          }}
        />
      </div>
    </div>
  );
}
