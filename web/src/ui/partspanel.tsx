/** The parts of the picture and what is painted over them. */

import { Section } from "./controls";

export function PartsPanel() {
  return (
    <Section name="parts" title="Parts">
      <p class="quiet" />
    </Section>
  );
}
