/** The editor: tools, canvas, panels, time. On narrow screens the panels are the tabs of a sheet at the bottom. */

import { signal } from "@preact/signals";
import type { InputKind } from "../modes/inputs";
import { Board } from "./board";
import { Branches, BranchesToggle, branchesOpen } from "./branches";
import { Candidates } from "./candidates";
import { useStudio } from "./context";
import { Film } from "./film";
import { LookBar } from "./lookbar";
import { OptionBar } from "./optionbar";
import { ProgressPanel } from "./progress";
import { RunBar } from "./runbar";
import { SettingsPanel } from "./settings";
import { Tasks } from "./tasks";
import { ToolStrip } from "./toolstrip";

/** The first is called after what the mode takes. */
const TABS = [
  { name: "points", title: "Points" },
  { name: "settings", title: "Settings" },
  { name: "progress", title: "Progress" },
  { name: "film", title: "Steps" },
  { name: "branches", title: "Branches" },
] as const;

/** Panels so long that what a run measures comes before them. */
const LONG: readonly InputKind[] = ["layers"];

const tab = signal<string>("points");

function SheetTabs() {
  const { mode } = useStudio();
  const taken = mode.value?.edit.group || mode.value?.inputs[0]?.title;
  return (
    <div class="sheet-tabs" role="tablist" aria-label="Panels">
      {TABS.map(({ name, title }) => (
        <button
          key={name}
          type="button"
          role="tab"
          data-testid={`tab-${name}`}
          aria-selected={tab.value === name}
          onClick={() => {
            tab.value = tab.value === name ? "" : name;
          }}
        >
          {name === "points" ? (taken ?? title) : title}
        </button>
      ))}
    </div>
  );
}

export function Editor() {
  const { mode } = useStudio();
  const panels = (above: boolean) =>
    mode.value?.inputs
      .filter(({ kind }) => above === !LONG.includes(kind))
      .map(({ kind, Panel }) => <Panel key={kind} />);
  return (
    <div class="editor" data-tab={tab.value} data-branches={branchesOpen.value}>
      <div class="left">
        <ToolStrip />
        <BranchesToggle />
      </div>
      <aside class="side side-branches">
        <Branches />
      </aside>
      <OptionBar />
      <Board />
      <RunBar />
      <LookBar />
      <Film />
      <aside class="side side-panels">
        <Tasks />
        <Candidates />
        {panels(true)}
        <ProgressPanel />
        {panels(false)}
        <SettingsPanel />
      </aside>
      <SheetTabs />
    </div>
  );
}
