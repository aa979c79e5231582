/** The keyboard map: one table that binds the keys (`keys.ts`) and fills the help. */

import type { PartsAction, ThingAction, Tool } from "../canvas/model";
import {
  branchFrom,
  deletePoint,
  giveUp,
  holdCompare,
  pauseOrResume,
  run,
  startHere,
  toggleLock,
} from "./actions";
import type { Studio } from "./studio";
import { toggleTheme } from "./theme";

export interface Key {
  /** Any of these, as `chordOf` writes them. */
  readonly chords: readonly string[];
  readonly does: string;
  readonly group:
    | "Tools"
    | "Things"
    | "Parts"
    | "Boxes"
    | "Mask"
    | "Points"
    | "Run"
    | "Time"
    | "Look"
    | "Page";
  press(studio: Studio, chord: string): void;
  release?(studio: Studio): void;
  /** Whether it means anything now; of keys with the same chord the first that does is taken. */
  readonly when?: (studio: Studio) => boolean;
  /** Also while something is typed. */
  readonly always?: boolean;
}

const selected = (studio: Studio, act: (studio: Studio, index: number) => void): void => {
  const index = studio.tools.selected.value;
  if (index !== null) act(studio, index);
};

const shown = (
  studio: Studio,
  act: (studio: Studio, place: { node: string; step: number }) => void,
): void => {
  const place = studio.viewing.place.value;
  if (place !== null && studio.session.run.value === null) act(studio, place);
};

const hold = (tool: Tool) => (studio: Studio) => {
  if (studio.mode.value?.tools.includes(tool)) studio.tools.tool.value = tool;
};

const takes =
  (tool: Tool) =>
  ({ mode }: Studio): boolean =>
    mode.value?.tools.includes(tool) === true;

const worksOnParts = ({ tools }: Studio): boolean => tools.tool.value === "parts";

const takeUp = (action: PartsAction) => (studio: Studio) => {
  hold("parts")(studio);
  studio.tools.partsAction.value = action;
};

const PARTS: readonly Key[] = [
  { chords: ["B"], does: "Paint parts", group: "Parts", when: takes("parts"), press: takeUp("paint") },
  {
    chords: ["G"],
    does: "Fill (Shift-click: all of a part)",
    group: "Parts",
    when: worksOnParts,
    press: takeUp("fill"),
  },
  { chords: ["E"], does: "Erase paint", group: "Parts", when: worksOnParts, press: takeUp("erase") },
  {
    chords: ["I"],
    does: "Pick a part (or Alt-click)",
    group: "Parts",
    when: worksOnParts,
    press: takeUp("pick"),
  },
  {
    chords: ["M"],
    does: "Show or hide the parts",
    group: "Parts",
    when: worksOnParts,
    press: ({ tools }) => {
      tools.partsVisible.value = !tools.partsVisible.value;
    },
  },
  {
    chords: ["1", "2", "3", "4", "5", "6", "7", "8", "9"],
    does: "Take one of the first parts",
    group: "Parts",
    when: worksOnParts,
    press: ({ tools, parts }, chord) => {
      const id = Number(chord) - 1;
      if (parts.shown.value?.classes[id]) tools.takePart(id);
    },
  },
];

const onBoxes = (studio: Studio): boolean =>
  studio.tools.tool.value === "box" && studio.boxes.shown.value !== null;

const BOXES: readonly Key[] = [
  {
    chords: ["["],
    does: "The box before (arrows move it, with Shift they resize it)",
    group: "Boxes",
    when: onBoxes,
    press: ({ boxes }) => boxes.choose(-1),
  },
  {
    chords: ["]"],
    does: "The next box",
    group: "Boxes",
    when: onBoxes,
    press: ({ boxes }) => boxes.choose(1),
  },
  {
    chords: ["Delete", "Backspace"],
    does: "Delete the selected box",
    group: "Boxes",
    when: onBoxes,
    press: ({ boxes }) => {
      if (boxes.selected.value !== null) boxes.remove(boxes.selected.value);
    },
  },
];

const takesBoxes = (studio: Studio): boolean => takes("crop")(studio) || takes("box")(studio);

const BOX: readonly Key[] = [
  {
    chords: ["R"],
    does: "Draw boxes",
    group: "Tools",
    when: takesBoxes,
    press: (studio) => {
      hold("crop")(studio);
      hold("box")(studio);
    },
  },
];

const takeAction = (chord: string, action: ThingAction, does: string): Key => ({
  chords: [chord],
  does,
  group: "Things",
  when: (studio) => studio.things.shown.value?.selects === true && takes("things")(studio),
  press: (studio) => {
    hold("things")(studio);
    studio.tools.thingAction.value = action;
  },
});

const THINGS: readonly Key[] = [
  takeAction("V", "move", "Move things (arrows nudge, Shift farther)"),
  takeAction("W", "click", "Click things to select them"),
  takeAction("R", "box", "Draw boxes around things"),
  takeAction("L", "lasso", "Draw lines around things"),
  takeAction("B", "brush", "Paint things"),
  {
    chords: ["Ctrl+C"],
    does: "Copy things",
    group: "Things",
    when: ({ things, editable }) => editable.value && things.canCopy,
    press: ({ things }) => things.copy(),
  },
  {
    chords: ["Ctrl+V"],
    does: "Paste things",
    group: "Things",
    when: ({ things, session, editable }) =>
      editable.value && things.shown.value !== null && session.document.value?.other != null,
    press: ({ things }) => things.paste(),
  },
  {
    chords: ["Delete", "Backspace"],
    does: "Deselect the chosen thing",
    group: "Things",
    when: (studio) =>
      takes("things")(studio) && studio.editable.value && studio.things.selected.value !== null,
    press: ({ things }) => things.remove(things.selected.value ?? -1),
  },
];

const CROSSHAIR: readonly Key[] = [
  {
    chords: ["Enter", "Shift+Enter", "Alt+Enter"],
    does: "Press at the crosshair",
    group: "Tools",
    when: ({ stage }) => stage.value?.takesPresses === true,
    press: ({ stage }, chord) => stage.value?.press(chord.startsWith("Shift"), chord.startsWith("Alt")),
    release: ({ stage }) => stage.value?.release(),
  },
];

const TOOLS: readonly Key[] = [
  { chords: ["V", "P"], does: "Points", group: "Tools", press: hold("point") },
  { chords: ["B", "R"], does: "Brush for the region", group: "Tools", press: hold("brush") },
  { chords: ["H"], does: "Pan (or hold Space)", group: "Tools", press: hold("pan") },
];

const MASK: readonly Key[] = [
  {
    chords: ["E"],
    does: "Erase, or paint again",
    group: "Mask",
    press: (studio) => {
      hold("brush")(studio);
      studio.tools.setBrush({ erase: !studio.tools.brush.value.erase });
    },
  },
  { chords: ["["], does: "Smaller brush", group: "Mask", press: ({ tools }) => tools.resizeBrush(-1) },
  { chords: ["]"], does: "Larger brush", group: "Mask", press: ({ tools }) => tools.resizeBrush(1) },
  {
    chords: ["X"],
    does: "Swap “may change” and “must stay”",
    group: "Mask",
    press: ({ tools }) => tools.swapPaint(),
  },
  {
    chords: ["I"],
    does: "Invert the region",
    group: "Mask",
    press: ({ editable, stage }) => editable.value && stage.value?.invertMask(),
  },
  {
    chords: ["M"],
    does: "Show or hide the region",
    group: "Mask",
    press: ({ tools }) => {
      tools.maskVisible.value = !tools.maskVisible.value;
    },
  },
];

const POINTS: readonly Key[] = [
  {
    chords: ["L"],
    does: "Lock or unlock the selected point",
    group: "Points",
    press: (studio) => selected(studio, toggleLock),
  },
  {
    chords: ["Delete", "Backspace"],
    does: "Delete the selected point",
    group: "Points",
    press: (studio) => selected(studio, deletePoint),
  },
];

const RUN: readonly Key[] = [
  { chords: ["Ctrl+Enter"], does: "Run", group: "Run", always: true, press: run },
  { chords: ["K"], does: "Pause or resume", group: "Run", press: pauseOrResume },
  { chords: ["Escape"], does: "Stop the run, or cancel", group: "Run", press: giveUp },
];

const TIME: readonly Key[] = [
  { chords: ["Ctrl+Z"], does: "Undo", group: "Time", press: ({ session }) => session.undo() },
  { chords: ["Ctrl+Shift+Z", "Ctrl+Y"], does: "Redo", group: "Time", press: ({ session }) => session.redo() },
  { chords: [","], does: "One step back", group: "Time", press: ({ viewing }) => viewing.step(-1) },
  { chords: ["."], does: "One step on", group: "Time", press: ({ viewing }) => viewing.step(1) },
  { chords: ["Home"], does: "First step", group: "Time", press: ({ viewing }) => viewing.step(-Infinity) },
  { chords: ["End"], does: "Last step", group: "Time", press: ({ viewing }) => viewing.step(Infinity) },
  {
    chords: ["Enter"],
    does: "Start at the shown step",
    group: "Time",
    press: (studio) => shown(studio, startHere),
  },
  {
    chords: ["Shift+B"],
    does: "Branch at the shown step",
    group: "Time",
    press: (studio) => shown(studio, branchFrom),
  },
];

const LOOK: readonly Key[] = [
  { chords: ["0"], does: "Fit the picture", group: "Look", press: ({ stage }) => stage.value?.fit() },
  { chords: ["1"], does: "100 %", group: "Look", press: ({ stage }) => stage.value?.actualSize() },
  { chords: ["+", "="], does: "Zoom in", group: "Look", press: ({ stage }) => stage.value?.zoomBy(1.25) },
  { chords: ["-"], does: "Zoom out", group: "Look", press: ({ stage }) => stage.value?.zoomBy(0.8) },
  {
    chords: ["C"],
    does: "Hold to compare with the start",
    group: "Look",
    press: (studio) => holdCompare(studio, true),
    release: (studio) => holdCompare(studio, false),
  },
  {
    chords: ["G", "Shift+G"],
    does: "Grid",
    group: "Look",
    press: ({ tools }) => {
      tools.grid.value = !tools.grid.value;
    },
  },
  { chords: ["T"], does: "Dark or light", group: "Look", press: toggleTheme },
];

const PAGE: readonly Key[] = [
  {
    chords: ["S"],
    does: "Export",
    group: "Page",
    press: ({ dialog, atStart }) => {
      if (!atStart.value) dialog.value = "export";
    },
  },
  {
    chords: ["N"],
    does: "Start page, and back",
    group: "Page",
    press: ({ starting }) => {
      starting.value = !starting.value;
    },
  },
  {
    chords: ["?"],
    does: "This help",
    group: "Page",
    press: ({ dialog }) => {
      dialog.value = "help";
    },
  },
];

export const KEYS: readonly Key[] = [
  ...THINGS,
  ...PARTS,
  ...BOXES,
  ...BOX,
  ...CROSSHAIR,
  ...TOOLS,
  ...MASK,
  ...POINTS,
  ...RUN,
  ...TIME,
  ...LOOK,
  ...PAGE,
];
