/** The settings of a mode as a form: the main ones first, the others folded away. */

import type { SettingInfo } from "../messages";
import {
  currentValue,
  fromSlider,
  hasSlider,
  labelOf,
  readTyped,
  SLIDER_STEPS,
  toSlider,
  type Value,
  type Values,
  withValue,
} from "../modes/form";
import { useStudio } from "./context";
import { Button, IconButton, Section, Segments, Slider, Switch, TextField, useDraft } from "./controls";
import { Problems } from "./problems";
import { tipFor } from "./tip";

/** Characters of all choices together that still stand side by side. */
const WIDEST = 14;

interface ControlProps {
  readonly info: SettingInfo;
  readonly value: Value;
  readonly disabled: boolean;
  readonly onChange: (value: Value) => void;
}

function NumberControl({ info, value, disabled, onChange }: ControlProps) {
  const draft = useDraft(Number(value));
  const label = labelOf(info.name);
  const testid = `setting-${info.name}`;
  return (
    <div class="number-control">
      {hasSlider(info) && (
        <Slider
          testid={`${testid}-slider`}
          label={label}
          text={String(draft.value)}
          value={toSlider(info, draft.value)}
          low={0}
          high={SLIDER_STEPS}
          disabled={disabled}
          onInput={(position) => draft.set(fromSlider(info, position))}
          onChange={(position) => {
            draft.drop();
            onChange(fromSlider(info, position));
          }}
        />
      )}
      <TextField
        testid={testid}
        label={`${label}, number`}
        value={String(draft.value)}
        numeric
        disabled={disabled}
        onDone={(text) => {
          const typed = readTyped(info, text);
          if (typed !== null) onChange(typed);
        }}
      />
    </div>
  );
}

function ChoiceControl({ info, value, disabled, onChange }: ControlProps) {
  const label = labelOf(info.name);
  if (info.choices.join("").length > WIDEST) {
    return (
      <select
        class="field"
        data-testid={`setting-${info.name}`}
        aria-label={label}
        value={String(value)}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        {info.choices.map((choice) => (
          <option key={choice} value={choice}>
            {choice}
          </option>
        ))}
      </select>
    );
  }
  const options = info.choices.map((choice) => ({ value: choice, label: choice }));
  return (
    <Segments
      testid={`setting-${info.name}`}
      label={label}
      value={String(value)}
      options={options}
      disabled={disabled}
      onChange={onChange}
    />
  );
}

function Control(props: ControlProps) {
  const { info, value, disabled, onChange } = props;
  const testid = `setting-${info.name}`;
  switch (info.kind) {
    case "number":
    case "integer":
      return <NumberControl {...props} />;
    case "choice":
      return <ChoiceControl {...props} />;
    case "switch":
      return (
        <Switch
          testid={testid}
          label={labelOf(info.name)}
          checked={value === true}
          disabled={disabled}
          onChange={onChange}
        />
      );
    case "text":
      return (
        <TextField
          testid={testid}
          label={labelOf(info.name)}
          value={String(value)}
          disabled={disabled}
          onDone={onChange}
        />
      );
  }
}

interface RowProps {
  readonly info: SettingInfo;
  readonly values: Values;
  readonly onChange: (info: SettingInfo, value: Value) => void;
}

function Row({ info, values, onChange }: RowProps) {
  const { session } = useStudio();
  const value = currentValue(info, values);
  const changed = value !== info.default;
  const running = session.run.value !== null;
  return (
    <div class="setting" data-changed={changed}>
      <div class="setting-head">
        <button
          type="button"
          class="setting-name"
          data-testid={`setting-${info.name}-help`}
          aria-description={info.help}
          {...tipFor(info.help, true)}
        >
          {labelOf(info.name)}
          {running && info.live && <span class="live">live</span>}
        </button>
        {info.name === "seed" && (
          <IconButton
            testid="setting-seed-shuffle"
            icon="shuffle"
            label="Another seed"
            disabled={running}
            onClick={() => onChange(info, Math.floor(Math.random() * 100_000))}
          />
        )}
        {changed && (
          <IconButton
            testid={`setting-${info.name}-reset`}
            icon="reset"
            label={`Reset ${labelOf(info.name).toLowerCase()} to ${info.default}`}
            disabled={running && !info.live}
            onClick={() => onChange(info, info.default)}
          />
        )}
      </div>
      <Control
        info={info}
        value={value}
        disabled={running && !info.live}
        onChange={(next) => onChange(info, next)}
      />
    </div>
  );
}

export function SettingsPanel() {
  const { mode, session } = useStudio();
  const edit = mode.value?.edit;
  if (edit === undefined || edit.settings.length === 0) return null;
  const values: Values = session.document.value?.settings[edit.name] ?? {};
  const change = (info: SettingInfo, value: Value) => {
    session.dismiss("settings");
    if (value === currentValue(info, values)) return;
    session.change({ label: labelOf(info.name), settings: withValue(info, values, value) });
  };
  const rows = (main: boolean) =>
    edit.settings
      .filter((info) => info.main === main)
      .map((info) => <Row key={info.name} info={info} values={values} onChange={change} />);
  const others = rows(false);
  const reset = Object.keys(values).length > 0 && (
    <Button
      testid="settings-reset"
      label="Reset all"
      disabled={session.run.value !== null}
      onClick={() => session.change({ label: "Reset settings", settings: {} })}
    />
  );
  return (
    <Section name="settings" title="Settings" actions={reset}>
      <Problems about={["settings"]} />
      <div>{rows(true)}</div>
      {others.length > 0 && (
        <details class="more">
          <summary data-testid="settings-more">More settings</summary>
          {others}
        </details>
      )}
    </Section>
  );
}
