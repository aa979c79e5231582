/** A list of models to choose from; nothing where there is only one. */

import type { ModelInfo } from "../messages";

interface ModelChoiceProps {
  readonly models: readonly ModelInfo[];
  readonly name: string;
  readonly disabled?: boolean;
  readonly onChange: (name: string) => void;
}

export function ModelChoice({ models, name, disabled, onChange }: ModelChoiceProps) {
  if (models.length < 2) return null;
  return (
    <select
      class="field"
      aria-label="Model"
      data-testid="model"
      value={name}
      disabled={disabled}
      onChange={(event) => onChange(event.currentTarget.value)}
    >
      {models.map((model) => (
        <option key={model.name} value={model.name}>
          {model.name}
        </option>
      ))}
    </select>
  );
}
