/** Binds the keyboard map to the window. */

import { KEYS, type Key } from "./keymap";
import type { Studio } from "./studio";

/** "Ctrl+Shift+Z", "Escape", "?": Shift is named only where it does not choose the character itself. */
export function chordOf(
  event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">,
): string {
  const letter = /^[a-z]$/i.test(event.key);
  const named = event.key.length > 1;
  const parts = [
    event.ctrlKey || event.metaKey ? "Ctrl" : "",
    event.altKey ? "Alt" : "",
    event.shiftKey && (letter || named) ? "Shift" : "",
    letter ? event.key.toUpperCase() : event.key,
  ];
  return parts.filter(Boolean).join("+");
}

function typedInto(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const isText = target instanceof HTMLInputElement && !["range", "checkbox", "radio"].includes(target.type);
  return isText || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/** Keys with which the focused control itself is worked. */
function ownedBy(target: EventTarget | null, chord: string): boolean {
  if (target instanceof HTMLInputElement && target.type === "range") return ["Home", "End"].includes(chord);
  return (
    chord === "Enter" && target instanceof HTMLElement && target.closest("button, a, summary, label") !== null
  );
}

/** Binds the table to the window; gives back what unbinds it. */
export function bindKeys(studio: () => Studio): () => void {
  const find = (event: KeyboardEvent): Key | undefined => {
    if (event.defaultPrevented || studio().dialog.value !== null) return undefined;
    const chord = chordOf(event);
    const key = KEYS.find(({ chords, when }) => chords.includes(chord) && when?.(studio()) !== false);
    if (key === undefined || key.always) return key;
    return typedInto(event.target) || ownedBy(event.target, chord) ? undefined : key;
  };
  const down = (event: KeyboardEvent): void => {
    const key = find(event);
    if (key === undefined) return;
    event.preventDefault();
    if (!(event.repeat && key.release)) key.press(studio(), chordOf(event));
  };
  const up = (event: KeyboardEvent): void => {
    KEYS.find(({ chords, release }) => release && chords.includes(chordOf(event)))?.release?.(studio());
  };
  addEventListener("keydown", down);
  addEventListener("keyup", up);
  return () => {
    removeEventListener("keydown", down);
    removeEventListener("keyup", up);
  };
}
