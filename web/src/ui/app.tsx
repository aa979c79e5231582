/** The page: the start page or the editor, and what lies over both. */

import { openSession, studio } from "../store/current";
import { StudioContext, useStudio } from "./context";
import { Button } from "./controls";
import { Editor } from "./editor";
import { Exporting } from "./exporting";
import { Help } from "./help";
import { Problems } from "./problems";
import { Projects } from "./projects";
import { SaveVector } from "./savevector";
import { Start } from "./start";
import { TipLayer } from "./tip";
import { TopBar } from "./topbar";

function ConnectionBar() {
  const { session } = useStudio();
  const status = session.connected.value;
  const opened = session.state.value !== null;
  if (status !== "lost" && !(status === "refused" && opened)) return null;
  return (
    <div class="lost" role="status" data-testid="connection-lost">
      <Problems about={["connection"]} />
      {status === "lost" && (
        <p>
          The connection to the studio is lost; trying again. Nothing is gone. If it was started anew, open
          the address that it printed.
        </p>
      )}
      <Button
        testid="connection-retry"
        label={status === "refused" ? "Use it here" : "Try now"}
        onClick={() => session.retryNow()}
      />
    </div>
  );
}

/** The session that the address names cannot be had. */
function NotOpened() {
  return (
    <main class="start">
      <div class="start-column">
        <Problems about={["connection", "project"]} />
        <div class="bar-group">
          <Button
            testid="connection-new"
            kind="primary"
            icon="plus"
            label="New project"
            onClick={() => openSession(null)}
          />
        </div>
        <Projects />
      </div>
    </main>
  );
}

function Content() {
  const { atStart, session } = useStudio();
  if (session.state.value === null) return session.connected.value === "refused" ? <NotOpened /> : null;
  return atStart.value ? <Start /> : <Editor />;
}

function Page() {
  const { dialog } = useStudio();
  return (
    <div class="page">
      <TopBar />
      <ConnectionBar />
      <Content />
      {dialog.value === "export" && <Exporting />}
      {dialog.value === "help" && <Help />}
      {dialog.value === "vector" && <SaveVector />}
      <TipLayer />
    </div>
  );
}

export function App() {
  const current = studio.value;
  return (
    <StudioContext.Provider value={current}>
      <Page key={current} />
    </StudioContext.Provider>
  );
}
