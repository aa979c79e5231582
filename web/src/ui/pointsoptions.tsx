/** What the point tool does next, in words. */

import type { Studio } from "../store/studio";
import { useStudio } from "./context";

function next({ tools, editable, session, viewing }: Studio): string {
  if (session.run.value !== null) return "The points can be changed when the run has ended.";
  if (viewing.looking.value !== null) return "Start here to change the points on this frame.";
  if (!editable.value) return "This picture takes no points.";
  if (tools.pending.value !== null) return "Now click where it should go.";
  return "Click where to grab, then where it should go.";
}

export function PointsOptions() {
  return (
    <p class="quiet" data-testid="points-options">
      {next(useStudio())}
    </p>
  );
}
