/** Run, pause, stop, continue, and how it goes. */

import { pauseOrResume, run as startRun } from "../store/actions";
import { lastStep } from "../store/tree";
import { useStudio } from "./context";
import { Button } from "./controls";
import { Problems } from "./problems";
import { count, duration, endWords, runWords } from "./words";

function Running() {
  const studio = useStudio();
  const state = studio.session.run.value?.state;
  return (
    <div class="bar-group">
      {state !== "waiting" && (
        <Button
          testid={state === "paused" ? "resume" : "pause"}
          icon={state === "paused" ? "play" : "pause"}
          label={state === "paused" ? "Resume" : "Pause"}
          tip="K"
          onClick={() => pauseOrResume(studio)}
        />
      )}
      <Button
        testid="stop"
        kind="danger"
        icon="stop"
        label={state === "waiting" ? "Cancel" : "Stop"}
        tip="Esc"
        onClick={() => studio.session.send({ type: "stop" })}
      />
    </div>
  );
}

/** The document is at the end of a run of its own mode, so that run can go on. */
function useCanContinue(): boolean {
  const { session, mode } = useStudio();
  const at = session.document.value?.at ?? null;
  const node = session.nodes.value.find(({ id }) => id === at?.node);
  const goesOn = node !== undefined && node.edit === mode.value?.edit.name && !mode.value.edit.group;
  return goesOn && at?.step === lastStep(node);
}

/** Results to choose from. */
function HowMany() {
  const { tools } = useStudio();
  return (
    <select
      class="field"
      aria-label="Results to choose from"
      data-testid="candidates-wanted"
      value={tools.candidates.value}
      onChange={(event) => {
        tools.candidates.value = Number(event.currentTarget.value);
      }}
    >
      {[1, 2, 3, 4].map((each) => (
        <option key={each} value={each}>
          {count(each, "result")}
        </option>
      ))}
    </select>
  );
}

function Idle() {
  const studio = useStudio();
  const blocked = studio.obstacle.value;
  const canContinue = useCanContinue() && blocked === null;
  return (
    <div class="bar-group">
      <Button
        testid="run"
        kind="primary"
        icon="play"
        label="Run"
        tip={blocked ?? "Ctrl+Enter"}
        disabled={blocked !== null}
        onClick={() => startRun(studio)}
      />
      {studio.mode.value?.edit.group && <HowMany />}
      {canContinue && (
        <Button
          testid="continue"
          icon="next"
          label="Continue"
          tip="Go on as if the run had not ended"
          onClick={() => {
            studio.viewing.follow();
            studio.session.start(true);
          }}
        />
      )}
    </div>
  );
}

function Status() {
  const { session, obstacle } = useStudio();
  const [run, ended] = [session.run.value, session.ended.value];
  if (run === null) return <span class="quiet">{ended ? endWords(ended) : (obstacle.value ?? "Ready")}</span>;
  return (
    <span>
      {runWords(run)}
      {run.seconds_left !== null && run.state === "running" && (
        <span class="quiet"> · {duration(run.seconds_left)} left</span>
      )}
    </span>
  );
}

/** Only what a listener needs: not every step. */
function Spoken() {
  const { session } = useStudio();
  const [run, ended] = [session.run.value, session.ended.value];
  let words = "";
  if (run?.state === "running") words = "Running";
  else if (run) words = runWords(run);
  else if (ended) words = endWords(ended);
  return (
    <span class="unseen" aria-live="polite" data-testid="run-announcement">
      {words}
    </span>
  );
}

export function RunBar() {
  const { session } = useStudio();
  const run = session.run.value;
  const part = run?.max_steps ? run.step / run.max_steps : 0;
  return (
    <div class="runbar" role="group" aria-label="Run">
      <div class="run-progress" data-state={run?.state ?? "idle"}>
        <div style={{ transform: `scaleX(${part})` }} />
      </div>
      {run === null ? <Idle /> : <Running />}
      <span class="run-status" data-testid="run-status">
        <Status />
      </span>
      <Spoken />
      <Problems about={["run"]} />
    </div>
  );
}
