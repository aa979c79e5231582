/** Buttons, sliders and fields that all parts of the page share. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Icon, type IconName } from "./icons";
import { tipFor } from "./tip";

interface ButtonProps {
  readonly testid: string;
  readonly onClick: () => void;
  readonly label: string;
  readonly icon?: IconName;
  readonly disabled?: boolean;
  readonly tip?: string;
  readonly kind?: "plain" | "primary" | "danger";
}

export function Button({ testid, onClick, label, icon, disabled, tip, kind = "plain" }: ButtonProps) {
  return (
    <button
      type="button"
      class={`button ${kind}`}
      data-testid={testid}
      disabled={disabled}
      onClick={onClick}
      {...tipFor(tip ?? "")}
    >
      {icon && <Icon name={icon} />}
      <span>{label}</span>
    </button>
  );
}

interface IconButtonProps {
  readonly testid: string;
  readonly onClick: () => void;
  /** What a screen reader says. */
  readonly label: string;
  readonly icon: IconName;
  readonly tip?: string;
  readonly pressed?: boolean | "mixed";
  readonly disabled?: boolean;
}

export function IconButton({ testid, onClick, label, icon, tip, pressed, disabled }: IconButtonProps) {
  return (
    <button
      type="button"
      class="icon-button"
      data-testid={testid}
      aria-label={label}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={onClick}
      {...tipFor(tip ?? label)}
    >
      <Icon name={icon} />
    </button>
  );
}

interface SliderProps {
  readonly testid: string;
  readonly label: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly step?: number;
  readonly disabled?: boolean;
  readonly text?: string;
  /** Where its track begins to be filled; its left end if not given. */
  readonly origin?: number;
  readonly onInput?: (value: number) => void;
  /** The slider was let go. */
  readonly onChange?: (value: number) => void;
}

/** Fills its track up to the thumb. */
export function Slider({
  testid,
  label,
  value,
  low,
  high,
  step = 1,
  disabled,
  text,
  origin = low,
  onInput,
  onChange,
}: SliderProps) {
  const percent = (each: number) =>
    high > low ? Math.min(Math.max((each - low) / (high - low), 0), 1) * 100 : 0;
  return (
    <input
      type="range"
      class="slider"
      data-testid={testid}
      aria-label={label}
      aria-valuetext={text}
      min={low}
      max={high}
      step={step}
      value={value}
      disabled={disabled}
      style={{
        "--from": `${percent(Math.min(origin, value))}%`,
        "--to": `${percent(Math.max(origin, value))}%`,
      }}
      onInput={(event) => onInput?.(event.currentTarget.valueAsNumber)}
      onChange={(event) => onChange?.(event.currentTarget.valueAsNumber)}
    />
  );
}

interface Draft<T> {
  readonly value: T;
  set(value: T): void;
  /** The hand let go: what is outside counts again. */
  drop(): void;
}

/** A value that follows the hand while it moves and the outside otherwise, also when that changes meanwhile. */
export function useDraft<T>(outside: T): Draft<T> {
  const [held, setHeld] = useState<{ readonly over: T; readonly value: T } | null>(null);
  return {
    value: held !== null && held.over === outside ? held.value : outside,
    set: (value) => setHeld({ over: outside, value }),
    drop: () => setHeld(null),
  };
}

interface TextFieldProps {
  readonly testid: string;
  readonly label: string;
  readonly value: string;
  readonly disabled?: boolean;
  readonly numeric?: boolean;
  /** Takes the keys as soon as it is there. */
  readonly focused?: boolean;
  /** Enter was pressed or the field was left with another text; what it then shows is `value`. */
  readonly onDone: (text: string) => void;
}

const takeKeys = (field: HTMLElement | null) => field?.focus();

export function TextField({ testid, label, value, disabled, numeric, focused, onDone }: TextFieldProps) {
  const draft = useDraft(value);
  const finish = () => {
    if (draft.value !== value) onDone(draft.value);
    draft.drop();
  };
  return (
    <input
      ref={focused ? takeKeys : null}
      type="text"
      class="field"
      inputMode={numeric ? "decimal" : "text"}
      data-testid={testid}
      aria-label={label}
      value={draft.value}
      disabled={disabled}
      onInput={(event) => draft.set(event.currentTarget.value)}
      onBlur={finish}
      onKeyDown={(event) => {
        if (event.key === "Enter") finish();
        if (event.key === "Escape") draft.drop();
      }}
    />
  );
}

interface SearchFieldProps {
  readonly testid: string;
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly onInput: (text: string) => void;
}

export function SearchField({ testid, label, placeholder, value, onInput }: SearchFieldProps) {
  return (
    <input
      type="text"
      role="searchbox"
      class="field search"
      placeholder={placeholder}
      aria-label={label}
      data-testid={testid}
      value={value}
      onInput={(event) => onInput(event.currentTarget.value)}
    />
  );
}

interface ChoiceProps<T extends string> {
  readonly testid: string;
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string; readonly disabled?: boolean }[];
  readonly disabled?: boolean;
  readonly onChange: (value: T) => void;
}

/** A few options side by side. */
export function Segments<T extends string>({
  testid,
  label,
  value,
  options,
  disabled,
  onChange,
}: ChoiceProps<T>) {
  return (
    <div class="segments" role="radiogroup" aria-label={label} data-testid={testid}>
      {options.map((option) => (
        <label key={option.value} class="segment" data-testid={`${testid}-${option.value}`}>
          <input
            type="radio"
            name={testid}
            checked={option.value === value}
            disabled={disabled || option.disabled}
            onChange={() => onChange(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </div>
  );
}

interface SwitchProps {
  readonly testid: string;
  readonly label: string;
  readonly checked: boolean;
  readonly disabled?: boolean;
  readonly onChange: (checked: boolean) => void;
}

export function Switch({ testid, label, checked, disabled, onChange }: SwitchProps) {
  return (
    <input
      type="checkbox"
      class="switch"
      role="switch"
      data-testid={testid}
      aria-label={label}
      aria-checked={checked}
      checked={checked}
      disabled={disabled}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}

interface SectionProps {
  readonly name: string;
  readonly title: string;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A part of a side panel; on narrow screens the tab of this name shows it. */
export function Section({ name, title, actions, children }: SectionProps) {
  return (
    <section class="section" data-section={name} data-testid={`${name}-section`} aria-label={title}>
      <header class="section-head">
        <h2>{title}</h2>
        {actions}
      </header>
      {children}
    </section>
  );
}
