/** What the point tool does next, in words. */

import { useStudio } from "./context";

export function PointsOptions() {
  const { tools, editable } = useStudio();
  let words = "Click where to grab, then where it should go; or press and pull.";
  if (!editable.value) words = "Points can be changed when no run goes on and the frame is the one you edit.";
  else if (tools.pending.value !== null) words = "Now click where it should go.";
  return (
    <p class="quiet" data-testid="points-options">
      {words}
    </p>
  );
}
