/** Dark or light, as the person chose or as the system says; and how much may move. */

import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";

const KEY = "pliant.theme";

function follow(query: string): ReadonlySignal<boolean> {
  const media = matchMedia(query);
  const matches = signal(media.matches);
  media.addEventListener("change", () => {
    matches.value = media.matches;
  });
  return matches;
}

function remembered(): "dark" | "light" | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === "dark" || value === "light" ? value : null;
  } catch {
    return null;
  }
}

const chosen = signal(remembered());
const systemDark = follow("(prefers-color-scheme: dark)");

export const reducedMotion = follow("(prefers-reduced-motion: reduce)");
export const narrow = follow("(max-width: 860px)");
/** Room for a panel on both sides. */
export const wide = follow("(min-width: 1081px)");
export const dark = computed(() => (chosen.value === null ? systemDark.value : chosen.value === "dark"));

export function toggleTheme(): void {
  chosen.value = dark.value ? "light" : "dark";
  try {
    localStorage.setItem(KEY, chosen.value);
  } catch {
    // private windows keep nothing
  }
}

/** Keeps the page's colours as they were chosen. */
export function showTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = dark.value ? "dark" : "light";
  });
}
