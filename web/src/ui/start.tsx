/** The first page: a portrait, a project, or a file of one's own. */

import { openSession } from "../store/current";
import { PICTURE_TYPES } from "../store/opening";
import type { FromPage } from "../store/socket";
import { useStudio } from "./context";
import { Button } from "./controls";
import { FileButton } from "./filebutton";
import { Gallery } from "./gallery";
import { Icon } from "./icons";
import { Problems } from "./problems";
import { Projects } from "./projects";

/** Pixels a side of an empty drawing. */
const BLANK = 512;

function Own() {
  const { session, starting } = useStudio();
  const begin = (message: FromPage) => {
    session.dismiss("picture");
    session.send(message);
    starting.value = false;
  };
  return (
    <section class="own" aria-label="Your files">
      <Icon name="image" />
      <p>
        Edit a photo or SVG drawing of your own: drop or paste it anywhere here. Move, remove and paste
        things, drag and repaint faces, or trace any photo to a drawing and say in words what it should
        become.
      </p>
      <div class="bar-group own-buttons">
        <FileButton testid="choose-image" label="Choose a picture" icon="image" accept={PICTURE_TYPES} />
        <Button
          testid="from-words"
          label="From words"
          icon="words"
          onClick={() => begin({ type: "from_words" })}
        />
        <Button
          testid="new-drawing"
          label="Blank drawing"
          icon="brush"
          onClick={() => begin({ type: "new_drawing", width: BLANK, height: BLANK })}
        />
        <FileButton testid="open-project" label="Open a project" icon="folder" accept=".pliant" />
      </div>
    </section>
  );
}

function BackToWork() {
  const { session, starting } = useStudio();
  if (session.document.value?.at == null) return null;
  return (
    <div class="back" data-testid="back-to-work">
      <p>A picture that you choose here joins the open project.</p>
      <Button
        testid="back-to-editor"
        kind="primary"
        label="Back to the editor"
        onClick={() => {
          starting.value = false;
        }}
      />
      <Button testid="new-project" icon="plus" label="New project" onClick={() => openSession(null)} />
    </div>
  );
}

export function Start() {
  return (
    <main class="start">
      <div class="start-column">
        <BackToWork />
        <Problems about={["picture", "project"]} />
        <Gallery />
        <Own />
        <Projects />
      </div>
    </main>
  );
}
