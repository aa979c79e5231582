/** The words for a drawing and for boxes of it, each with how much it counts. */

import { useLayoutEffect, useRef } from "preact/hooks";
import type { Prompt } from "../messages";
import { colourOf, MOST_PROMPTS, MOST_STRENGTH } from "../store/prompts";
import { AddBox, boxWords } from "./boxespanel";
import { useStudio } from "./context";
import { Button, IconButton, Section, Slider, useDraft } from "./controls";
import { Icon } from "./icons";
import { Problems } from "./problems";

const LONGEST = 1000;
const STRENGTH_STEP = 0.05;

interface RowProps {
  readonly prompt: Prompt;
  readonly index: number;
}

/** Finished when it is left, or with Enter. */
function Words({ prompt, index }: RowProps) {
  const { prompts, boxes, editable } = useStudio();
  const field = useRef<HTMLTextAreaElement>(null);
  const draft = useDraft(prompt.text);
  const isFresh = prompts.fresh.value === index;
  useLayoutEffect(() => {
    if (!isFresh) return;
    prompts.fresh.value = null;
    field.current?.focus();
  }, [isFresh, prompts]);
  const finish = () => {
    if (draft.value.trim() !== prompt.text) prompts.set(index, { text: draft.value.trim() }, "Write words");
    draft.drop();
    prompts.draft.value = null;
  };
  const name = prompt.box ? `Words for box ${index + 1}` : "Words for the whole drawing";
  return (
    <textarea
      ref={field}
      class="field words"
      rows={1}
      maxLength={LONGEST}
      placeholder={prompt.box ? "such as: a red rose" : "such as: a painting of fire"}
      aria-label={name}
      data-testid={`prompt-${index + 1}-text`}
      value={draft.value}
      disabled={!editable.value}
      onFocus={() => {
        const place = boxes.placeOf(index);
        if (place !== null) boxes.selected.value = place;
      }}
      onInput={(event) => {
        draft.set(event.currentTarget.value);
        prompts.draft.value = { index, text: event.currentTarget.value };
      }}
      onBlur={finish}
      onKeyDown={(event) => {
        if (event.key === "Enter") {
          event.preventDefault();
          finish();
        } else if (event.key === "Escape") {
          draft.drop();
          prompts.draft.value = null;
        }
      }}
    />
  );
}

function Strength({ prompt, index }: RowProps) {
  const { prompts, editable } = useStudio();
  const draft = useDraft(prompt.strength);
  return (
    <label class="strength">
      <span class="quiet">Strength</span>
      <Slider
        testid={`prompt-${index + 1}-strength`}
        label={`Strength of words ${index + 1}`}
        value={draft.value}
        low={0}
        high={MOST_STRENGTH}
        step={STRENGTH_STEP}
        text={draft.value.toFixed(2)}
        disabled={!editable.value}
        onInput={draft.set}
        onChange={(strength) => {
          draft.drop();
          prompts.set(index, { strength }, "Strength");
        }}
      />
      <output>{draft.value.toFixed(2)}</output>
    </label>
  );
}

function Row({ prompt, index }: RowProps) {
  const { prompts, boxes, editable } = useStudio();
  const place = boxes.placeOf(index);
  const selected = place !== null && boxes.selected.value === place;
  return (
    <li class="prompt-row" data-selected={selected} data-testid={`prompt-${index + 1}`}>
      <div class="prompt-head">
        {place === null ? (
          <span class="prompt-whole">
            <Icon name="image" /> Whole drawing
          </span>
        ) : (
          <button
            type="button"
            class="box-select"
            aria-pressed={selected}
            aria-label={`Box ${index + 1}${prompt.box ? `, ${boxWords(prompt.box)}` : ""}`}
            data-testid={`prompt-${index + 1}-select`}
            onClick={() => {
              boxes.selected.value = place;
            }}
          >
            <span class="box-number" style={{ background: colourOf(index) }}>
              {index + 1}
            </span>
            <span class="quiet">{prompt.box && boxWords(prompt.box)}</span>
          </button>
        )}
        <IconButton
          testid={`prompt-${index + 1}-delete`}
          icon="trash"
          label={prompt.box ? `Delete box ${index + 1}` : "Delete the words for the whole drawing"}
          disabled={!editable.value}
          onClick={() => prompts.remove(index)}
        />
      </div>
      <Words prompt={prompt} index={index} />
      <Strength prompt={prompt} index={index} />
    </li>
  );
}

/** Such as words that the model does not know. */
function Notes() {
  const { session, editable } = useStudio();
  if (!editable.value || session.notes.value.length === 0) return null;
  return (
    <ul class="notes" role="status" data-testid="prompt-notes">
      {session.notes.value.map((note) => (
        <li key={note} class="hint">
          {note}
        </li>
      ))}
    </ul>
  );
}

export function PromptsPanel() {
  const { prompts, editable, session } = useStudio();
  const all = prompts.all.value;
  const hasWhole = all.some(({ box }) => box === null);
  const noModel = session.welcome.value?.words.length === 0;
  return (
    <Section name="prompts" title="Words" actions={<AddBox count={all.length} />}>
      {noModel && (
        <p class="hint" data-testid="no-words-model">
          {prompts.obstacle.value}
        </p>
      )}
      <ol class="prompts" data-testid="prompts">
        {all.map((prompt, index) => (
          <Row key={`${index} ${prompt.box !== null}`} prompt={prompt} index={index} />
        ))}
      </ol>
      {!hasWhole && (
        <Button
          testid="prompt-add"
          icon="words"
          label="Words for the whole drawing"
          disabled={!editable.value || all.length >= MOST_PROMPTS}
          onClick={() => prompts.add(null)}
        />
      )}
      {all.length === 0 && <p class="quiet">Or draw a box on the picture, and say what becomes of it.</p>}
      <Notes />
      <Problems about={["prompts"]} />
    </Section>
  );
}
