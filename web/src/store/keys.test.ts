import { signal } from "@preact/signals";
import { expect, test, vi } from "vitest";

// Node has no screen to ask about
vi.hoisted(() => {
  const media = { matches: false, addEventListener: () => undefined };
  Object.assign(globalThis, { matchMedia: () => media });
});

import type { Tool } from "../canvas/model";
import { found } from "../ui/help";
import { KEYS } from "./keymap";
import { chordOf } from "./keys";
import type { Studio } from "./studio";

function press(
  key: string,
  modifiers: Partial<Record<"ctrlKey" | "metaKey" | "shiftKey" | "altKey", boolean>> = {},
) {
  return chordOf({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...modifiers });
}

/** As far as keys ask: a mode with one tool, which is in hand, and everything set up. */
function studioWith(tool: Tool): Studio {
  return {
    mode: signal({ tools: [tool] }),
    tools: { tool: signal(tool) },
    boxes: { shown: signal(tool === "box" ? [] : null) },
    things: {
      shown: signal(tool === "things" ? { selects: true } : null),
      selected: signal(0),
      canCopy: tool === "things",
    },
    editable: signal(true),
    stage: signal(null),
    session: { document: signal({ other: {} }) },
  } as unknown as Studio;
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
  const hands = (["point", "brush", "things", "parts", "box", "crop", "pan"] as const).map(studioWith);
  const inHands = hands.map((studio) => KEYS.filter(({ when }) => when?.(studio)));
  for (const keys of [...inHands, KEYS.filter(({ when }) => !when)]) {
    const chords = keys.flatMap((key) => key.chords);
    expect(new Set(chords).size).toBe(chords.length);
  }
  expect(inHands.map((keys) => keys.length > 0)).toEqual([false, false, true, true, true, true, false]);
  const firstAlways = KEYS.findIndex(({ when }) => !when);
  expect(KEYS.slice(firstAlways).every(({ when }) => !when)).toBe(true);
});

test("the help finds keys by what they do, their group and their letters", () => {
  expect(found(KEYS, "undo").map(({ does }) => does)).toEqual(["Undo"]);
  expect(found(KEYS, "ctrl y").map(({ does }) => does)).toEqual(["Copy things", "Redo"]);
  expect(found(KEYS, "mask").length).toBe(6);
  expect(found(KEYS, "")).toEqual(KEYS);
});
