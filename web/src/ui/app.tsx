/** The page: the start page or the editor, and what lies over both. */

import { studio } from "../store/current";
import { StudioContext, useStudio } from "./context";
import { Editor } from "./editor";
import { Exporting } from "./exporting";
import { Help } from "./help";
import { Problems } from "./problems";
import { Start } from "./start";
import { TipLayer } from "./tip";
import { TopBar } from "./topbar";

function ConnectionBar() {
  const { session } = useStudio();
  if (session.connected.value !== "lost") return null;
  return (
    <div class="lost" role="status" data-testid="connection-lost">
      The connection to the studio is lost; trying again. Nothing that you made is gone.
      <button type="button" class="link" data-testid="connection-retry" onClick={() => session.retryNow()}>
        Try now
      </button>
    </div>
  );
}

function Page() {
  const { atStart, session, dialog } = useStudio();
  const ready = session.state.value !== null;
  return (
    <div class="page">
      <TopBar />
      <ConnectionBar />
      <Problems about={["connection"]} />
      {ready && (atStart.value ? <Start /> : <Editor />)}
      {dialog.value === "export" && <Exporting />}
      {dialog.value === "help" && <Help />}
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
