/** Parts of a photo that are traced in more detail, as a list. */

import type { BoxMark } from "../canvas/model";
import { PICTURE_TYPES } from "../store/opening";
import { MOST_PROMPTS } from "../store/prompts";
import { useStudio } from "./context";
import { Button, IconButton, Section } from "./controls";
import { FileButton } from "./filebutton";
import { Icon } from "./icons";
import { Problems } from "./problems";

/** "120 × 80 at 30, 40". */
export function boxWords([x, y, width, height]: BoxMark["box"]): string {
  return `${Math.round(width)} × ${Math.round(height)} at ${Math.round(x)}, ${Math.round(y)}`;
}

export function AddBox({ count }: { count: number }) {
  const { boxes, tools, editable, viewing, stage } = useStudio();
  const size = viewing.node.value?.size;
  return (
    <Button
      testid="box-add"
      icon="plus"
      label="Box"
      tip="Put a box on the picture; or draw one there"
      disabled={!editable.value || size === undefined || count >= MOST_PROMPTS}
      onClick={() => {
        if (size === undefined) return;
        tools.tool.value = "box";
        boxes.add(size);
        stage.value?.focus();
      }}
    />
  );
}

function BoxRow({ mark, index }: { mark: BoxMark; index: number }) {
  const { boxes, editable } = useStudio();
  return (
    <li class="box-row" data-selected={boxes.selected.value === index} data-testid={`box-${index + 1}`}>
      <button
        type="button"
        class="box-select"
        aria-pressed={boxes.selected.value === index}
        aria-label={`Box ${mark.number}, ${boxWords(mark.box)}`}
        data-testid={`box-${index + 1}-select`}
        onClick={() => {
          boxes.selected.value = index;
        }}
      >
        <span class="box-number" style={{ background: mark.colour }}>
          {mark.number}
        </span>
        <span>{boxWords(mark.box)}</span>
      </button>
      <IconButton
        testid={`box-${index + 1}-delete`}
        icon="trash"
        label={`Delete box ${mark.number}`}
        tip="Delete (Del)"
        disabled={!editable.value}
        onClick={() => boxes.remove(index)}
      />
    </li>
  );
}

export function BoxesPanel() {
  const { boxes, editable } = useStudio();
  const marks = boxes.shown.value ?? [];
  if (!editable.value && marks.length === 0)
    return (
      <Section name="boxes" title="Boxes">
        <p class="empty">
          <Icon name="image" /> Choose a photo of your own, or drop it anywhere on this page.
        </p>
        <FileButton testid="choose-photo" label="Choose a photo" icon="image" accept={PICTURE_TYPES} />
      </Section>
    );
  return (
    <Section name="boxes" title="Boxes" actions={<AddBox count={marks.length} />}>
      {marks.length === 0 && (
        <p class="quiet">
          Run turns the whole photo into a drawing. Draw a box around what deserves more detail, such as a
          face: it gets a round of its own.
        </p>
      )}
      <ol class="box-list">
        {marks.map((mark, index) => (
          <BoxRow key={index} mark={mark} index={index} />
        ))}
      </ol>
      <Problems about={["boxes"]} />
    </Section>
  );
}
