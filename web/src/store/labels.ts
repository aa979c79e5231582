/** What a person teaches: the parts by name and colour, and how training goes on. */

import type { PartClass, Training } from "../messages";

export type Colour = PartClass["colour"];

/** Colours that are told apart over skin and hair and are easy on the eye. */
const PALETTE = [
  "#6b7280",
  "#e0a988",
  "#8d6e97",
  "#4f9bb5",
  "#b08a4e",
  "#7fb08a",
  "#c9616b",
  "#6d8fc9",
  "#cf86a8",
  "#93a35a",
  "#5aa9a3",
  "#c9a24b",
] as const;

const NAMES = ["background", "skin", "hair", "eyes", "brows", "nose", "mouth"] as const;

/** Parts to begin with, for portraits. */
export const FIRST_CLASSES: readonly PartClass[] = NAMES.map((name, index) => ({
  name,
  colour: fromHex(PALETTE[index] ?? PALETTE[0]),
}));

/** "#rrggbb", as the browser's colour field wants it. */
export function toHex(colour: Colour): string {
  return `#${colour.map((each) => each.toString(16).padStart(2, "0")).join("")}`;
}

export function fromHex(text: string): Colour {
  const channel = (at: number) => Number.parseInt(text.slice(at, at + 2), 16);
  return [channel(1), channel(3), channel(5)];
}

/** One more part, in the first colour of the palette that is free. */
export function withFresh(classes: readonly PartClass[]): readonly PartClass[] {
  const taken = new Set(classes.map(({ colour }) => toHex(colour)));
  const free = PALETTE.find((each) => !taken.has(each)) ?? PALETTE[classes.length % PALETTE.length];
  const names = new Set(classes.map(({ name }) => name));
  let number = classes.length + 1;
  while (names.has(`part ${number}`)) number += 1;
  return [...classes, { name: `part ${number}`, colour: fromHex(free ?? PALETTE[0]) }];
}

/** With another name; as they are where the name is empty or taken. */
export function renamed(classes: readonly PartClass[], index: number, text: string): readonly PartClass[] {
  const name = text.trim().slice(0, 100);
  const known = classes[index];
  if (known === undefined || name === "" || classes.some((each) => each.name === name)) return classes;
  return classes.with(index, { ...known, name });
}

export function sameClasses(left: readonly PartClass[], right: readonly PartClass[]): boolean {
  return (
    left.length === right.length &&
    left.every(
      (each, index) =>
        each.name === right[index]?.name && toHex(each.colour) === toHex(right[index]?.colour ?? each.colour),
    )
  );
}

/** Seconds until a stage of training is done, at its pace so far; null before that can be said. */
export function secondsLeft({ done, total }: Training, secondsSoFar: number): number | null {
  return done > 0 && secondsSoFar > 1 ? (secondsSoFar / done) * (total - done) : null;
}
