/** What the picture shows, in words; and which model makes or edits it. */

import { hasPreset } from "../store/things";
import { useStudio } from "./context";
import { Button, Section, TextField } from "./controls";

const TITLE = "What the picture shows";

export function PromptPanel() {
  const { session, editable, mode } = useStudio();
  return (
    <Section name="prompt" title={TITLE}>
      <TextField
        testid="prompt"
        label={TITLE}
        focused={mode.value?.edit.optional.includes("prompt") === false}
        value={session.document.value?.prompt ?? ""}
        disabled={!editable.value}
        onDone={(prompt) => session.change({ label: "Write words", prompt: prompt.trim() })}
      />
    </Section>
  );
}

export function DiffuserPanel() {
  const { session, editable, things, mode } = useStudio();
  const names = session.welcome.value?.diffusers ?? [];
  const edit = mode.value?.edit.name ?? "";
  const settings = session.document.value?.settings[edit];
  const canCopy = mode.value !== null && hasPreset(mode.value.edit);
  if (names.length === 0)
    return (
      <Section name="diffuser" title="Model">
        <p class="quiet" data-testid="no-diffuser">
          Diffusion models need diffusers: pip install "pliant[diffusion]".
          {canCopy && " Until then things are copied, and holes filled, without one."}
        </p>
        {canCopy && things.obstacle.value && (
          <Button
            testid="take-copy"
            label="Work without a model"
            disabled={!editable.value}
            onClick={() => session.change({ label: "Preset", settings: { ...settings, preset: "copy" } })}
          />
        )}
      </Section>
    );
  if (names.length === 1) return null;
  return (
    <Section name="diffuser" title="Model">
      <select
        class="field"
        aria-label="Model"
        data-testid="diffuser"
        value={session.document.value?.diffuser ?? names[0]}
        disabled={!editable.value}
        onChange={(event) => session.change({ label: "Choose model", diffuser: event.currentTarget.value })}
      >
        {names.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </Section>
  );
}
