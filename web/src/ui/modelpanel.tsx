/** Which model should make the photo. */

import { Section } from "./controls";

export function ModelPanel() {
  return (
    <Section name="model" title="Model">
      <p class="quiet" />
    </Section>
  );
}
