/** What the mode measures, of the run that is shown. */

import { SPECIAL } from "../modes/special";
import { useStudio } from "./context";
import { Section } from "./controls";

export function ProgressPanel() {
  const { viewing, session, mode } = useStudio();
  const node = viewing.node.value;
  const edit = node?.edit ?? mode.value?.edit.name ?? "";
  const Progress = SPECIAL[edit]?.Progress;
  if (Progress === undefined) return null;
  const facts = session.measured.value.get(node?.id ?? "")?.facts ?? [];
  return (
    <Section name="progress" title="Progress">
      {facts.length > 0 ? (
        <Progress facts={facts} step={viewing.place.value?.step ?? 0} />
      ) : (
        <p class="quiet">What a run measures is shown here.</p>
      )}
    </Section>
  );
}
