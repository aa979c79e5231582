/** Teaching a model its parts: a person names them, paints them on a few pictures, and a network learns to read them. */

import { useEffect, useState } from "preact/hooks";
import type { PartClass, Training } from "../messages";
import { keepLabel, nextSample, train } from "../store/actions";
import { FIRST_CLASSES, secondsLeft } from "../store/labels";
import { ClassList } from "./classlist";
import { useStudio } from "./context";
import { Button, Section } from "./controls";
import { LabelThumb } from "./labelthumb";
import { count, duration, sentence } from "./words";

/** Names and colours. Where the model has a head already, its parts are taught better and stay what they are. */
function Naming({ headed }: { headed: boolean }) {
  const { session } = useStudio();
  const { classes, labels, training } = session.state.value?.labelling ?? NONE;
  const [draft, setDraft] = useState<readonly PartClass[]>(FIRST_CLASSES);
  const busy = training !== null || session.run.value !== null;
  if (headed) return null;
  const isNew = classes.length === 0;
  const set = (next: readonly PartClass[]) => session.send({ type: "set_classes", classes: next });
  return (
    <details class="more" open={labels.length === 0}>
      <summary data-testid="classes-summary">{count(isNew ? draft.length : classes.length, "part")}</summary>
      <ClassList
        classes={isNew ? draft : classes}
        disabled={busy}
        labelled={labels.length > 0}
        onChange={isNew ? setDraft : set}
      >
        {isNew && (
          <Button
            testid="classes-use"
            kind="primary"
            label="Use these parts"
            disabled={busy}
            onClick={() => set(draft)}
          />
        )}
      </ClassList>
    </details>
  );
}

const NONE = { classes: [], labels: [], training: null } as const;

function Labels({ classes }: { classes: readonly PartClass[] }) {
  const studio = useStudio();
  const { session, editable, parts, viewing } = studio;
  const { labels, training } = session.state.value?.labelling ?? NONE;
  const painted = session.document.value?.parts != null;
  const busy = training !== null || !editable.value;
  return (
    <>
      <ul class="labels" data-testid="labels">
        {labels.map((label, index) => (
          <LabelThumb
            key={label.parts}
            label={label}
            number={index + 1}
            classes={classes}
            disabled={training !== null}
          />
        ))}
      </ul>
      <div class="teach-buttons">
        <Button
          testid="label-keep"
          icon="plus"
          label="Keep as label"
          tip={
            painted ? "This picture with the parts as you painted them" : "Paint this picture's parts first"
          }
          disabled={busy || !painted || parts.known.value === null}
          onClick={() => keepLabel(studio)}
        />
        <Button
          testid="label-next"
          icon="shuffle"
          label="Next sample"
          tip="Another picture of the same model"
          disabled={busy || viewing.node.value?.model == null}
          onClick={() => nextSample(studio)}
        />
      </div>
    </>
  );
}

/** Seconds since a stage of training began. */
function useSecondsSince(stage: string): number {
  const [began, setBegan] = useState(Date.now());
  useEffect(() => setBegan(Date.now()), [stage]);
  return (Date.now() - began) / 1000;
}

function InTraining({ training }: { training: Training }) {
  const { session } = useStudio();
  const left = secondsLeft(training, useSecondsSince(training.stage));
  return (
    <div class="working" data-testid="training">
      <progress max={Math.max(training.total, 1)} value={training.done} aria-label="Training" />
      <span class="quiet" aria-live="polite">
        {sentence(training.stage)} {training.done} of {training.total}
        {left !== null && ` · ${duration(left)} left`}
      </span>
      <Button testid="training-stop" label="Stop" onClick={() => session.send({ type: "stop" })} />
    </div>
  );
}

function Train() {
  const studio = useStudio();
  const { session } = studio;
  const { labels, training } = session.state.value?.labelling ?? NONE;
  const trained = session.trained.value;
  if (training !== null) return <InTraining training={training} />;
  return (
    <>
      {trained && (
        <p class="learnt" data-testid="trained">
          Learnt in {duration(trained.seconds)}. Every picture of this model is read with it from now on; take
          the next sample and see.
        </p>
      )}
      <Button
        testid="train"
        kind="primary"
        label={labels.length > 0 ? `Train on ${count(labels.length, "label")}` : "Train"}
        tip="Takes about a minute on a processor"
        disabled={labels.length === 0 || session.run.value !== null}
        onClick={() => train(studio)}
      />
    </>
  );
}

export function Teaching() {
  const { session, parts, teaching } = useStudio();
  const { classes } = session.state.value?.labelling ?? NONE;
  const known = parts.known.value;
  const headed = known?.head != null;
  const close = (
    <Button
      testid="teaching-close"
      label="Done"
      onClick={() => {
        teaching.value = false;
      }}
    />
  );
  return (
    <Section name="teaching" title="Teach parts" actions={close}>
      <p class="quiet">
        Paint the parts of a picture, keep it as a label, take the next sample. Five pictures give a good
        start; sixteen do well.
      </p>
      <Naming headed={headed} />
      {(classes.length > 0 || headed) && (
        <>
          <Labels classes={classes.length > 0 ? classes : (known?.classes ?? [])} />
          <Train />
        </>
      )}
    </Section>
  );
}
