/** What the region says, in the side panel; it is painted and changed on the canvas. */

import type { Studio } from "../store/studio";
import { useStudio } from "./context";
import { Button, Section } from "./controls";
import { Problems } from "./problems";

/** What may change as long as nothing is painted. */
function unpainted({ mode, session }: Studio): string {
  const edit = mode.value?.edit;
  if (edit?.group && session.document.value?.things.length) return "What is selected may change.";
  return edit?.optional.includes("mask") ? "All of the picture may change." : "Paint where it may change.";
}

export function MaskPanel() {
  const studio = useStudio();
  const { masks, tools, editable, stage } = studio;
  const mask = masks.shown.value;
  const paint = () => {
    tools.tool.value = "brush";
  };
  const actions = mask ? (
    <Button
      testid="region-remove"
      label="Clear"
      disabled={!editable.value}
      onClick={() => stage.value?.clearMask()}
    />
  ) : (
    <Button testid="region-paint" label="Paint" disabled={!editable.value} onClick={paint} />
  );
  const feather = mask && mask.feather > 0 ? `, with an edge ${Math.round(mask.feather)} px soft` : "";
  return (
    <Section name="region" title="Region" actions={actions}>
      <p class="quiet">{mask ? `Only the painted region may change${feather}.` : unpainted(studio)}</p>
      <Problems about={["mask"]} />
    </Section>
  );
}
