/** The brush's options over the canvas. */

import { changeFeather } from "../store/actions";
import { BrushSize } from "./brushsize";
import { useStudio } from "./context";
import { IconButton, Segments, Slider, useDraft } from "./controls";

const PAINTS = [
  { value: "change", label: "May change" },
  { value: "stay", label: "Must stay" },
] as const;
const MOST_FEATHER = 64;

function Feather({ value }: { value: number }) {
  const studio = useStudio();
  const draft = useDraft(value);
  return (
    <label class="option">
      <span>Feather</span>
      <Slider
        testid="mask-feather"
        label="Feather in pixels"
        value={draft.value}
        low={0}
        high={MOST_FEATHER}
        disabled={!studio.editable.value || studio.masks.shown.value === null}
        onInput={draft.set}
        onChange={(feather) => {
          draft.drop();
          changeFeather(studio, feather);
        }}
      />
      <output>{Math.round(draft.value)} px</output>
    </label>
  );
}

export function MaskOptions() {
  const { tools, masks, editable, stage } = useStudio();
  const { paint, erase } = tools.brush.value;
  const fixed = !editable.value || masks.shown.value === null;
  const visible = tools.maskVisible.value;
  return (
    <div class="options" role="toolbar" aria-label="Brush" data-testid="mask-options">
      <Segments
        testid="brush-paint"
        label="Paint where the picture"
        value={paint}
        options={PAINTS}
        onChange={(next) => tools.setBrush({ paint: next })}
      />
      <BrushSize />
      <Feather value={masks.shown.value?.feather ?? 0} />
      <div class="option-buttons">
        <IconButton
          testid="brush-erase"
          icon="erase"
          label="Erase"
          tip="Erase (E)"
          pressed={erase}
          onClick={() => tools.setBrush({ erase: !erase })}
        />
        <IconButton
          testid="mask-invert"
          icon="invert"
          label="Invert the region"
          tip="Invert (I)"
          disabled={fixed}
          onClick={() => stage.value?.invertMask()}
        />
        <IconButton
          testid="mask-visible"
          icon={visible ? "eye" : "eyeOff"}
          label={visible ? "Hide the region" : "Show the region"}
          tip={visible ? "Hide the region (M)" : "Show the region (M)"}
          pressed={!visible}
          onClick={() => {
            tools.maskVisible.value = !visible;
          }}
        />
        <IconButton
          testid="mask-clear"
          icon="trash"
          label="Clear the region"
          disabled={fixed}
          onClick={() => stage.value?.clearMask()}
        />
      </div>
    </div>
  );
}
