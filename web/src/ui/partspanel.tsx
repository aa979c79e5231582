/** The parts of the picture, in the side panel; they are painted on the canvas. */

import type { Signal } from "@preact/signals";
import { useStudio } from "./context";
import { Button, Section, Slider, Switch } from "./controls";
import { PartsPalette } from "./partspalette";
import { Problems } from "./problems";
import { Teaching } from "./teaching";

function TeachButton({ label }: { label: string }) {
  const { teaching } = useStudio();
  return (
    <Button
      testid="parts-teach"
      label={label}
      onClick={() => {
        teaching.value = true;
      }}
    />
  );
}

function Unknown() {
  const { teaching } = useStudio();
  return (
    <>
      <p class="quiet" data-testid="parts-unknown">
        This model's parts are not known yet. Label a few pictures to teach it.
      </p>
      {!teaching.value && <TeachButton label="Teach parts…" />}
    </>
  );
}

function Opacity() {
  const { tools } = useStudio();
  const opacity = tools.partsOpacity.value;
  return (
    <label class="part-option">
      <span>Opacity</span>
      <Slider
        testid="parts-opacity"
        label="Opacity of the parts"
        text={`${Math.round(100 * opacity)} percent`}
        value={opacity}
        low={0}
        high={1}
        step={0.01}
        onInput={(value) => {
          tools.partsOpacity.value = value;
          tools.partsVisible.value = true;
        }}
      />
    </label>
  );
}

interface ToggleProps {
  readonly testid: string;
  readonly label: string;
  readonly state: Signal<boolean>;
}

function Toggle({ testid, label, state }: ToggleProps) {
  return (
    <label class="part-option">
      <span>{label}</span>
      <Switch
        testid={testid}
        label={label}
        checked={state.value}
        onChange={(on) => {
          state.value = on;
        }}
      />
    </label>
  );
}

function Unsure() {
  const { parts } = useStudio();
  return (
    <>
      <Toggle testid="parts-unsure" label="Show where the parts are unsure" state={parts.showsUnsure} />
      {parts.showsUnsure.value && (
        <p class="quiet" data-testid="parts-unsure-words">
          {parts.unsure.value === null
            ? "Comparing what the readers of the parts see …"
            : "The warmer a place, the less the readers of the parts agree on it: paint carefully there, or teach them better."}
        </p>
      )}
    </>
  );
}

function Known() {
  const { parts, teaching, preview, mode } = useStudio();
  const known = parts.known.value;
  if (known === null) return <p class="quiet">Looking for the parts of the picture …</p>;
  if (known.classes.length === 0) return <Unknown />;
  return (
    <>
      <PartsPalette classes={known.classes} />
      <div class="part-options">
        <Opacity />
        {mode.value?.edit.preview && (
          <Toggle testid="parts-live" label="Show what it becomes while I paint" state={preview.live} />
        )}
        {known.uncertainty && <Unsure />}
      </div>
      {!teaching.value && (
        <TeachButton label={known.head === null ? "Teach parts…" : "Teach better parts…"} />
      )}
    </>
  );
}

function reveal(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: "nearest" });
}

export function PartsPanel() {
  const { parts, editable, teaching } = useStudio();
  const reset = parts.isPainted.value && (
    <Button
      testid="parts-reset"
      label="Reset"
      tip="Back to the picture's parts"
      disabled={!editable.value}
      onClick={() => parts.reset()}
    />
  );
  return (
    <>
      <Section name="parts" title="Parts" actions={reset}>
        <Known />
        <Problems about={["parts"]} />
      </Section>
      {teaching.value && (
        <div class="parts-teaching" ref={reveal}>
          <Teaching />
        </div>
      )}
    </>
  );
}
