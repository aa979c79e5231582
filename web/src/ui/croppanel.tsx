/** Which part of the photo the model should make. */

import { Section } from "./controls";

export function CropPanel() {
  return (
    <Section name="crop" title="What to make">
      <p class="quiet" />
    </Section>
  );
}

export function CropOptions() {
  return <p class="quiet" data-testid="crop-options" />;
}
