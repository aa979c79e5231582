/** The parts that a person teaches: name and colour of each. */

import type { ComponentChildren } from "preact";
import type { PartClass } from "../messages";
import { fromHex, renamed, toHex, withFresh } from "../store/labels";
import { Button, IconButton, TextField } from "./controls";

const FEWEST = 2;
const MOST = 64;

interface ClassListProps {
  readonly classes: readonly PartClass[];
  readonly disabled: boolean;
  /** Labels use their numbers: none may go. */
  readonly labelled: boolean;
  readonly onChange: (classes: readonly PartClass[]) => void;
  /** Beside the button that adds one. */
  readonly children: ComponentChildren;
}

export function ClassList({ classes, disabled, labelled, onChange, children }: ClassListProps) {
  return (
    <>
      <ul class="classes" data-testid="classes">
        {classes.map((each, index) => (
          <li key={index}>
            <input
              type="color"
              class="class-colour"
              data-testid={`class-${index}-colour`}
              aria-label={`Colour of ${each.name}`}
              value={toHex(each.colour)}
              disabled={disabled}
              onChange={({ currentTarget }) =>
                onChange(classes.with(index, { ...each, colour: fromHex(currentTarget.value) }))
              }
            />
            <TextField
              testid={`class-${index}-name`}
              label={`Name of part ${index + 1}`}
              value={each.name}
              disabled={disabled}
              onDone={(text) => onChange(renamed(classes, index, text))}
            />
            <IconButton
              testid={`class-${index}-remove`}
              icon="trash"
              label={`Remove ${each.name}`}
              tip={labelled ? "Remove the labels first" : `Remove ${each.name}`}
              disabled={disabled || labelled || classes.length <= FEWEST}
              onClick={() => onChange(classes.toSpliced(index, 1))}
            />
          </li>
        ))}
      </ul>
      <div class="teach-buttons">
        <Button
          testid="class-add"
          icon="plus"
          label="Add a part"
          disabled={disabled || classes.length >= MOST}
          onClick={() => onChange(withFresh(classes))}
        />
        {children}
      </div>
    </>
  );
}
