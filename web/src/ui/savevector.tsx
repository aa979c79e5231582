/** Keep what a run did as a learnt edit. */

import { useState } from "preact/hooks";
import type { PartClass, Place } from "../messages";
import { getNodeParts } from "../store/api";
import { useStudio } from "./context";
import { Button } from "./controls";
import { Dialog } from "./dialog";
import { useFetched } from "./fetched";
import { Problems } from "./problems";

const LONGEST_NAME = 100;

interface PartsChoiceProps {
  readonly classes: readonly PartClass[];
  readonly chosen: readonly string[];
  readonly onChange: (chosen: readonly string[]) => void;
}

function PartsChoice({ classes, chosen, onChange }: PartsChoiceProps) {
  if (classes.length === 0) return null;
  const toggle = (name: string) =>
    onChange(chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name]);
  return (
    <fieldset class="concerns">
      <legend>
        What it concerns <span class="quiet">Refinement keeps everything else as it is.</span>
      </legend>
      <div class="chips">
        {classes.map(({ name, colour }) => (
          <label key={name} class="chip" data-testid={`vector-part-${name}`}>
            <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} />
            <span>
              <i style={{ background: `rgb(${colour.join(" ")})` }} />
              {name}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Naming({ place }: { place: Place }) {
  const { session } = useStudio();
  const [name, setName] = useState("");
  const [parts, setParts] = useState<readonly string[]>([]);
  const known = useFetched(`${session.id} ${place.node}`, () => getNodeParts(session.id, place.node));
  const wanted = name.trim();
  const save = () => {
    if (wanted === "") return;
    session.dismiss("vectors");
    session.send({ type: "save_vector", place, name: wanted, parts });
  };
  return (
    <form
      class="naming"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <label class="line">
        <span>Name</span>
        <input
          type="text"
          class="field"
          data-testid="vector-name"
          placeholder="Such as: wide smile"
          maxLength={LONGEST_NAME}
          // biome-ignore lint/a11y/noAutofocus: the one field of a dialog
          autoFocus
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      {known.state === "there" && (
        <PartsChoice classes={known.value.classes} chosen={parts} onChange={setParts} />
      )}
      <Problems about={["vectors"]} />
      <footer class="dialog-foot">
        <Button testid="vector-save" kind="primary" label="Keep" disabled={wanted === ""} onClick={save} />
      </footer>
    </form>
  );
}

export function SaveVector() {
  const { dialog, viewing, session } = useStudio();
  const place = viewing.place.value;
  const saved = session.vectorSaved.value;
  const close = () => {
    session.vectorSaved.value = null;
    dialog.value = null;
  };
  if (place === null) return null;
  return (
    <Dialog testid="vector-dialog" title="Keep as learnt edit" onClose={close}>
      {saved ? (
        <>
          <p data-testid="vector-saved">
            “{saved.name}” is among your learnt edits now, for every picture of this model.
          </p>
          <footer class="dialog-foot">
            <Button testid="vector-done" kind="primary" label="Done" onClick={close} />
          </footer>
        </>
      ) : (
        <>
          <p class="quiet">
            What this run changed, from its start to step {place.step}, can be added to other pictures, as
            much of it as you like.
          </p>
          <Naming place={place} />
        </>
      )}
    </Dialog>
  );
}
