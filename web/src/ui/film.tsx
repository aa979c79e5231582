/** Time: all steps of the shown run, and what can be done at one of them. */

import type { NodeInfo, Place } from "../messages";
import { branchFrom, continueFrom, startHere } from "../store/actions";
import { frameAddress } from "../store/api";
import { samePlace } from "../store/reduce";
import { narrow } from "../store/theme";
import { filmSteps, lastStep } from "../store/tree";
import { useStudio } from "./context";
import { Button, Slider } from "./controls";
import { Still } from "./still";

const THUMB_WIDTH = 96;

function Thumb({ place, current }: { place: Place; current: boolean }) {
  const { session, viewing } = useStudio();
  return (
    <button
      type="button"
      class="thumb"
      data-testid={`film-${place.step}`}
      aria-label={`Step ${place.step}`}
      aria-current={current ? "true" : undefined}
      onClick={() => viewing.lookAt(place)}
    >
      <Still src={frameAddress(session.id, place, THUMB_WIDTH)} />
      <span>{place.step}</span>
    </button>
  );
}

function Strip({ node, last, step }: { node: NodeInfo; last: number; step: number }) {
  const steps = filmSteps(last, narrow.value ? 7 : 14);
  const nearest = steps.reduce(
    (best, each) => (Math.abs(each - step) < Math.abs(best - step) ? each : best),
    0,
  );
  return (
    <div class="strip" key={node.id} data-testid="filmstrip">
      {steps.map((each) =>
        each <= lastStep(node) && node.steps > 0 ? (
          <Thumb key={each} place={{ node: node.id, step: each }} current={each === nearest} />
        ) : (
          <span key={each} class="thumb" />
        ),
      )}
    </div>
  );
}

/** A run that went from one picture of a model to another, not one that opened a photo. */
function isLearnable(node: NodeInfo): boolean {
  return node.edit !== null && node.kind === "latent" && node.edit !== "invert";
}

function FrameActions({ place, node }: { place: Place; node: NodeInfo }) {
  const studio = useStudio();
  const { session, viewing, obstacle, dialog } = studio;
  const busy = session.run.value !== null;
  const here = samePlace(place, session.document.value?.at ?? null);
  const comparing = samePlace(viewing.against.value, place);
  return (
    <div class="frame-actions">
      {node.edit !== null && !here && (
        <Button
          testid="frame-continue"
          label="Continue"
          icon="next"
          tip="Let the run go on from this step"
          disabled={busy || obstacle.value !== null}
          onClick={() => continueFrom(studio, place)}
        />
      )}
      <Button
        testid="frame-start-here"
        label="Start here"
        icon="flag"
        tip="Edit from this step; the points follow (Enter)"
        disabled={busy || here}
        onClick={() => startHere(studio, place)}
      />
      <Button
        testid="frame-branch"
        label="Branch"
        icon="branch"
        tip="Begin something else at this step, without points (Shift+B)"
        disabled={busy}
        onClick={() => branchFrom(studio, place)}
      />
      {isLearnable(node) && place.step > 0 && (
        <Button
          testid="frame-keep"
          label="Keep as learnt edit"
          icon="spark"
          tip="What the run did up to this step, to be added to other pictures"
          disabled={busy}
          onClick={() => {
            dialog.value = "vector";
          }}
        />
      )}
      <Button
        testid="frame-compare"
        label={comparing ? "Stop comparing" : "Compare"}
        icon="compare"
        tip="Hold this step against what is shown next"
        onClick={() => (comparing ? viewing.stopComparing() : viewing.compareWith(place))}
      />
    </div>
  );
}

export function Film() {
  const { viewing } = useStudio();
  const [place, node] = [viewing.place.value, viewing.node.value];
  if (place === null || node === null) return null;
  const last = viewing.lastStepOf(node);
  return (
    <section class="film" data-section="film" aria-label="Steps">
      <div class="film-head">
        <span class="film-step" data-testid="film-step">
          {last > 0 ? `Step ${place.step} of ${last}` : node.title}
        </span>
        <FrameActions place={place} node={node} />
      </div>
      {last > 0 && <Strip node={node} last={last} step={place.step} />}
      {last > 0 && (
        <Slider
          testid="scrubber"
          label="Step"
          text={`Step ${place.step} of ${last}`}
          value={place.step}
          low={0}
          high={last}
          onInput={(step) => viewing.scrub(node, step)}
        />
      )}
    </section>
  );
}
