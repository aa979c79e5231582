/** What the region says, in the side panel; it is painted and changed on the canvas. */

import { useStudio } from "./context";
import { Button, Section } from "./controls";
import { Problems } from "./problems";

export function MaskPanel() {
  const { masks, tools, editable, stage } = useStudio();
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
      <p class="quiet">
        {mask ? `Only the painted region may change${feather}.` : "All of the picture may change."}
      </p>
      <Problems about={["mask"]} />
    </Section>
  );
}
