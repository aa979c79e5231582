/** The tools that the mode's inputs ask for. */

import type { Tool } from "../canvas/model";
import { useStudio } from "./context";
import { IconButton } from "./controls";
import type { IconName } from "./icons";

const TOOLS: Readonly<Record<Tool, { icon: IconName; label: string; tip: string }>> = {
  things: { icon: "things", label: "Things", tip: "Things: select, move, resize and turn them" },
  point: { icon: "point", label: "Points", tip: "Points: click where to grab, then where it should go (V)" },
  brush: { icon: "brush", label: "Brush", tip: "Brush: paint the region that may change (B)" },
  parts: { icon: "palette", label: "Parts", tip: "Parts: paint what should be where (B)" },
  crop: { icon: "crop", label: "Box", tip: "Box: draw what the model should make (R)" },
  box: { icon: "box", label: "Boxes", tip: "Boxes: draw around what is to be something of its own (R)" },
  pan: { icon: "pan", label: "Pan", tip: "Pan (H, or hold Space)" },
};

export function ToolStrip() {
  const { mode, tools } = useStudio();
  return (
    <div class="tools" role="toolbar" aria-label="Tools" aria-orientation="vertical">
      {(mode.value?.tools ?? []).map((tool) => (
        <IconButton
          key={tool}
          testid={`tool-${tool}`}
          {...TOOLS[tool]}
          pressed={tools.tool.value === tool}
          onClick={() => {
            tools.tool.value = tool;
          }}
        />
      ))}
      <span class="gap" />
      {mode.value?.tools.includes("point") && (
        <IconButton
          testid="points-visible"
          icon={tools.pointsVisible.value ? "eye" : "eyeOff"}
          label={tools.pointsVisible.value ? "Hide the points" : "Show the points"}
          pressed={!tools.pointsVisible.value}
          onClick={() => {
            tools.pointsVisible.value = !tools.pointsVisible.value;
          }}
        />
      )}
    </div>
  );
}
