/** What to do next with the boxes, in the bar over the canvas. */

import type { Studio } from "../store/studio";
import { useStudio } from "./context";

function next({ boxes, editable, session, mode }: Studio): string {
  if (session.run.value !== null) return "Boxes can be changed again when the run has ended.";
  if (!editable.value) return `${mode.value?.edit.title ?? "This"} works on the picture of the document.`;
  if (boxes.selected.value !== null)
    return "Pull the box or its edges; arrow keys move it, with Shift they resize it.";
  return mode.value?.edit.inputs.includes("prompts")
    ? "Pull a box around what should become something of its own."
    : "Pull a box around what should be traced in more detail, such as a face.";
}

export function BoxOptions() {
  return (
    <p class="quiet" data-testid="box-options">
      {next(useStudio())}
    </p>
  );
}
