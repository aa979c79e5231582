/** Teaching a model its parts from pictures that a person paints. */

import { Section } from "./controls";

export function Teaching() {
  return (
    <Section name="teaching" title="Teach parts">
      <p class="quiet" />
    </Section>
  );
}
