/** The bar on top: way home, undo and redo, the modes, export, look, help. */

import { useEffect, useRef } from "preact/hooks";
import type { EditInfo } from "../messages";
import type { Mode } from "../modes/mode";
import { dark, toggleTheme } from "../store/theme";
import icon from "../styles/icon.svg";
import { useStudio } from "./context";
import { Button, IconButton } from "./controls";

function History() {
  const { session } = useStudio();
  const { undo, redo } = session.state.value ?? { undo: null, redo: null };
  return (
    <div class="bar-group">
      <IconButton
        testid="undo"
        icon="undo"
        label={undo ? `Undo: ${undo}` : "Undo"}
        tip={undo ? `Undo “${undo}” (Ctrl+Z)` : "Nothing to undo"}
        disabled={undo === null}
        onClick={() => session.undo()}
      />
      <IconButton
        testid="redo"
        icon="redo"
        label={redo ? `Redo: ${redo}` : "Redo"}
        tip={redo ? `Redo “${redo}” (Ctrl+Shift+Z)` : "Nothing to redo"}
        disabled={redo === null}
        onClick={() => session.redo()}
      />
    </div>
  );
}

function Modes() {
  const { modes, mode, session } = useStudio();
  const bar = useRef<HTMLElement>(null);
  const current = mode.value?.edit.name;
  const isCurrent = ({ name, group }: EditInfo) =>
    name === current || (group !== "" && group === mode.value?.edit.group);
  // edits of one group are one mode, with a choice of tasks in it
  const firsts = modes.value.filter(
    ({ edit }, index, all) =>
      !edit.group || all.findIndex((each) => each.edit.group === edit.group) === index,
  );
  const kind = session.nodes.value.find(({ id }) => id === session.document.value?.at?.node)?.kind;
  const fits = ({ edit }: Mode) => kind === undefined || edit.pictures.includes(kind);
  const titles = ({ group }: EditInfo) =>
    modes.value.flatMap(({ edit }) => (edit.group === group ? [edit.title] : [])).join(" · ");
  const ordered = [...firsts.filter(fits), ...firsts.filter((each) => !fits(each))];
  // not all modes are always in sight: those that edit this picture come first
  useEffect(
    () => bar.current?.querySelector("[aria-current]")?.scrollIntoView({ inline: "nearest" }),
    [current],
  );
  return (
    <nav class="modes" aria-label="Modes" ref={bar}>
      {ordered.map(({ edit }) => (
        <button
          key={edit.name}
          type="button"
          class="mode"
          data-testid={`mode-${(edit.group || edit.name).toLowerCase()}`}
          aria-current={isCurrent(edit) ? "page" : undefined}
          title={edit.group ? titles(edit) : edit.summary}
          disabled={session.run.value !== null}
          onClick={() => {
            if (!edit.group || !isCurrent(edit)) session.change({ label: edit.title, edit: edit.name });
          }}
        >
          {edit.group || edit.title}
        </button>
      ))}
    </nav>
  );
}

function Saved() {
  const { session } = useStudio();
  const saved = session.state.value?.saved ?? true;
  return (
    <span class="saved" data-testid="saved" data-saved={saved}>
      {saved ? "Saved" : "Saving …"}
    </span>
  );
}

export function TopBar() {
  const { starting, atStart, dialog } = useStudio();
  const editing = !atStart.value;
  return (
    <header class="topbar">
      <button
        type="button"
        class="wordmark"
        data-testid="home"
        aria-label="Pliant: start page"
        onClick={() => {
          starting.value = true;
        }}
      >
        <img src={icon} alt="" width="20" height="20" />
        Pliant
      </button>
      {editing && <History />}
      {editing && <Modes />}
      <span class="gap" />
      {editing && <Saved />}
      {editing && (
        <Button
          testid="export"
          icon="export"
          label="Export"
          tip="Export (S)"
          onClick={() => {
            dialog.value = "export";
          }}
        />
      )}
      <IconButton
        testid="theme"
        icon={dark.value ? "sun" : "moon"}
        label={dark.value ? "Light" : "Dark"}
        tip={dark.value ? "Light (T)" : "Dark (T)"}
        onClick={toggleTheme}
      />
      <IconButton
        testid="help"
        icon="help"
        label="Help"
        tip="Keys (?)"
        onClick={() => {
          dialog.value = "help";
        }}
      />
    </header>
  );
}
