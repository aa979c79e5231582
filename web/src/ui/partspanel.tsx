/** The parts of the picture, in the side panel; they are painted on the canvas. */

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

function Switches() {
  const { preview, parts, mode, editable } = useStudio();
  return (
    <>
      {mode.value?.edit.preview && (
        <label class="part-option">
          <span>Show what it becomes while I paint</span>
          <Switch
            testid="parts-live"
            label="Show what it becomes while I paint"
            checked={preview.live.value}
            onChange={(on) => {
              preview.live.value = on;
            }}
          />
        </label>
      )}
      {parts.known.value?.uncertainty && (
        <>
          <label class="part-option">
            <span>Show where the parts are unsure</span>
            <Switch
              testid="parts-unsure"
              label="Show where the parts are unsure"
              checked={parts.showsUnsure.value}
              disabled={!editable.value}
              onChange={(on) => {
                parts.showsUnsure.value = on;
              }}
            />
          </label>
          {parts.showsUnsure.value && (
            <p class="quiet" data-testid="parts-unsure-words">
              The warmer a place, the less the model's readers of parts agree on what is there. Paint
              carefully, or label more pictures like this one.
            </p>
          )}
        </>
      )}
    </>
  );
}

function Known() {
  const { parts, teaching } = useStudio();
  const known = parts.known.value;
  if (known === null) return <p class="quiet">Looking for the parts of the picture …</p>;
  if (known.classes.length === 0) return <Unknown />;
  return (
    <>
      <PartsPalette classes={known.classes} />
      <div class="part-options">
        <Opacity />
        <Switches />
      </div>
      {!teaching.value && (
        <TeachButton label={known.head === null ? "Teach parts…" : "Teach better parts…"} />
      )}
    </>
  );
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
      {teaching.value && <Teaching />}
    </>
  );
}
