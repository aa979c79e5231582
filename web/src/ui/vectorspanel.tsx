/** The learnt edits that fit the picture. */

import { Section } from "./controls";

export function VectorsPanel() {
  return (
    <Section name="vectors" title="Learnt edits">
      <p class="quiet" />
    </Section>
  );
}
