/** The first page: a portrait, a project, or a file of one's own. */

import { openSession } from "../store/current";
import { IMAGE_TYPES } from "../store/opening";
import { useStudio } from "./context";
import { Button } from "./controls";
import { FileButton } from "./filebutton";
import { Gallery } from "./gallery";
import { Icon } from "./icons";
import { Problems } from "./problems";
import { Projects } from "./projects";

function Own() {
  return (
    <section class="own" aria-label="Your files">
      <Icon name="image" />
      <p>Edit a photo of your own: drop or paste it anywhere here, then drag, repaint or add a smile.</p>
      <div class="bar-group">
        <FileButton testid="choose-image" label="Choose a photo" icon="image" accept={IMAGE_TYPES} />
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
