/** The keyboard map, to be searched. */

import { Fragment } from "preact";
import { useState } from "preact/hooks";
import { KEYS, type Key } from "../store/keymap";
import { useStudio } from "./context";
import { SearchField } from "./controls";
import { Dialog } from "./dialog";

const GROUPS = [
  "Tools",
  "Things",
  "Parts",
  "Boxes",
  "Mask",
  "Points",
  "Run",
  "Time",
  "Look",
  "Page",
] as const;
const NAMES: Readonly<Record<string, string>> = { Escape: "Esc", Delete: "Del", Backspace: "⌫" };

export function found(keys: readonly Key[], wanted: string): readonly Key[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  return keys.filter((key) => {
    const text = `${key.group} ${key.does} ${key.chords.join(" ")}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function Chord({ chord }: { chord: string }) {
  const parts = chord === "+" ? ["+"] : chord.split("+");
  return (
    <span class="chord">
      {parts.map((part) => (
        <kbd key={part}>{NAMES[part] ?? part}</kbd>
      ))}
    </span>
  );
}

/** More keys than these are a row, of which the first and the last are shown. */
const SINGLE = 4;

function Chords({ chords }: { chords: readonly string[] }) {
  const isRow = chords.length > SINGLE;
  const shown = isRow ? [...chords.slice(0, 1), ...chords.slice(-1)] : chords;
  return (
    <dd>
      {shown.map((chord, index) => (
        <Fragment key={chord}>
          {isRow && index > 0 && "to"}
          <Chord chord={chord} />
        </Fragment>
      ))}
    </dd>
  );
}

function Group({ name, keys }: { name: string; keys: readonly Key[] }) {
  if (keys.length === 0) return null;
  return (
    <section class="help-group">
      <h3>{name}</h3>
      <dl>
        {keys.map(({ does, chords }) => (
          <div key={does}>
            <dt>{does}</dt>
            <Chords chords={chords} />
          </div>
        ))}
      </dl>
    </section>
  );
}

export function Help() {
  const { dialog } = useStudio();
  const [wanted, setWanted] = useState("");
  const keys = found(KEYS, wanted);
  const close = () => {
    dialog.value = null;
  };
  return (
    <Dialog testid="help-dialog" title="Keys" onClose={close}>
      <SearchField
        testid="help-search"
        label="Search the keys"
        placeholder="Search"
        value={wanted}
        onInput={setWanted}
      />
      <div class="help-groups" data-testid="help-keys">
        {GROUPS.map((name) => (
          <Group key={name} name={name} keys={keys.filter(({ group }) => group === name)} />
        ))}
        {keys.length === 0 && <p class="quiet">No key does that.</p>}
      </div>
      <p class="quiet">
        Press and pull makes a point in one go; Alt-click deletes it. Shift-click draws a straight line with
        the brush. The wheel zooms. Tab goes to the picture; arrows move a crosshair, with Shift farther.
      </p>
    </Dialog>
  );
}
