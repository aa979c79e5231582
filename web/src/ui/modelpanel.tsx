/** Which model should make the photo; nothing where there is only one. */

import { useStudio } from "./context";
import { Section } from "./controls";
import { ModelChoice } from "./modelchoice";
import { sentence } from "./words";

export function ModelPanel() {
  const { session, photo, editable } = useStudio();
  const models = session.welcome.value?.models ?? [];
  const model = photo.model.value;
  if (models.length < 2 || model === null) return null;
  return (
    <Section name="model" title="Model">
      <ModelChoice
        models={models}
        name={model.name}
        disabled={!editable.value}
        onChange={(name) => session.change({ label: "Choose model", model: name })}
      />
      <p class="quiet">{sentence(model.summary)}</p>
    </Section>
  );
}
