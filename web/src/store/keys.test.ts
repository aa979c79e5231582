import { expect, test, vi } from "vitest";

// Node has no screen to ask about
vi.hoisted(() => {
  const media = { matches: false, addEventListener: () => undefined };
  Object.assign(globalThis, { matchMedia: () => media });
});

import { found } from "../ui/help";
import { KEYS } from "./keymap";
import { chordOf } from "./keys";

function press(
  key: string,
  modifiers: Partial<Record<"ctrlKey" | "metaKey" | "shiftKey" | "altKey", boolean>> = {},
) {
  return chordOf({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...modifiers });
}

test("chords name Shift only where it does not choose the character", () => {
  expect(press("z", { ctrlKey: true })).toBe("Ctrl+Z");
  expect(press("Z", { metaKey: true, shiftKey: true })).toBe("Ctrl+Shift+Z");
  expect(press("?", { shiftKey: true })).toBe("?");
  expect(press("+", { shiftKey: true })).toBe("+");
  expect(press("Enter", { ctrlKey: true })).toBe("Ctrl+Enter");
  expect(press("b")).toBe("B");
});

test("no chord does two things, but where the tool in hand says which", () => {
  for (const keys of [KEYS.filter(({ when }) => when), KEYS.filter(({ when }) => !when)]) {
    const chords = keys.flatMap((key) => key.chords);
    expect(new Set(chords).size).toBe(chords.length);
  }
  const firstAlways = KEYS.findIndex(({ when }) => !when);
  expect(KEYS.slice(firstAlways).every(({ when }) => !when)).toBe(true);
});

test("the help finds keys by what they do, their group and their letters", () => {
  expect(found(KEYS, "undo").map(({ does }) => does)).toEqual(["Undo"]);
  expect(found(KEYS, "ctrl y").map(({ does }) => does)).toEqual(["Redo"]);
  expect(found(KEYS, "mask").length).toBe(6);
  expect(found(KEYS, "")).toEqual(KEYS);
});
