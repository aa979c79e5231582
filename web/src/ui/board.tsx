/** The canvas with the notices that float over it. */

import { useEffect, useRef } from "preact/hooks";
import { Stage } from "../canvas/stage";
import { startHere } from "../store/actions";
import { makeCanvasModel } from "../store/canvasmodel";
import { samePlace } from "../store/reduce";
import { useStudio } from "./context";
import { Button } from "./controls";
import { Problems } from "./problems";

function StageHost() {
  const studio = useStudio();
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (host.current === null) return;
    const stage = new Stage(host.current, makeCanvasModel(studio));
    studio.stage.value = stage;
    return () => {
      studio.stage.value = null;
      stage.dispose();
    };
  }, [studio]);
  return <div class="stage" ref={host} data-testid="canvas" />;
}

function Looking() {
  const studio = useStudio();
  const { viewing, session } = studio;
  const [place, node] = [viewing.looking.value, viewing.node.value];
  if (place === null || node === null) return null;
  const running = session.run.value !== null;
  return (
    <div class="notice" role="status" data-testid="looking">
      <span>
        Looking at {node.edit ? `step ${place.step} of ` : ""}
        {node.title}
      </span>
      {!running && (
        <Button
          testid="looking-start-here"
          kind="primary"
          label="Start here to edit"
          onClick={() => startHere(studio, place)}
        />
      )}
      <Button
        testid="looking-back"
        label={running ? "Back to the run" : "Back"}
        onClick={() => viewing.follow()}
      />
    </div>
  );
}

/** Something is being fetched from another picture. */
function Elsewhere() {
  const { things, session } = useStudio();
  const [origin, at] = [things.origin.value, session.document.value?.at];
  if (origin === null || samePlace(origin.place, at ?? null)) return null;
  return (
    <div class="notice" role="status" data-testid="elsewhere">
      <span>{things.canCopy ? "Copy this?" : "Select what to copy."}</span>
      {things.canCopy && (
        <Button
          testid="elsewhere-copy"
          kind="primary"
          label="Copy and go back"
          onClick={() => things.comeBack(true)}
        />
      )}
      <Button testid="elsewhere-back" label="Go back" onClick={() => things.comeBack(false)} />
    </div>
  );
}

/** What is shown is kept nowhere. */
function Previewed() {
  const { viewing, session } = useStudio();
  if (viewing.preview.value === null) return null;
  const changes = viewing.previewOutdated.value || session.previewing.value !== null;
  return (
    <div class="preview-badge" role="status" data-testid="preview" data-changes={changes}>
      Preview
    </div>
  );
}

export function Board() {
  return (
    <main class="board" aria-label="Picture">
      <StageHost />
      <div class="over over-top">
        <Looking />
        <Elsewhere />
        <Previewed />
        <Problems about={["picture"]} />
      </div>
    </main>
  );
}
