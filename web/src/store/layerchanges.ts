/** What a person does with the layers of a drawing, as the server will apply it: shown wins over hidden, unlocked over locked. */

import type { Drawing, LayerChanges, LayerGroup, LayerPath } from "../messages";

export type Which = string | number;

/** Paths that follow one another and are alike in the drawing. */
export interface Run {
  /** Ids of the groups that hold them. */
  readonly chain: readonly string[];
  readonly first: number;
  readonly count: number;
  /** As the drawing has them. */
  readonly hidden: boolean;
  readonly locked: boolean;
}

/** A group, or a path. */
export interface Item {
  /** Its id, or its number. */
  readonly key: Which;
  /** All paths in it. */
  readonly runs: readonly Run[];
}

export type Property = "hidden" | "locked";

/** Of how many of its paths something is so. */
export type Share = "none" | "some" | "all";

const OPPOSITE = { hidden: "shown", locked: "unlocked" } as const;

export const NO_CHANGES: LayerChanges = { hidden: [], shown: [], locked: [], unlocked: [], swatches: {} };

export function isUnchanged(changes: LayerChanges): boolean {
  const { swatches, ...lists } = changes;
  return Object.keys(swatches).length === 0 && Object.values(lists).every((list) => list.length === 0);
}

function holds({ first, count }: Run, each: Which): boolean {
  return typeof each === "number" && each >= first && each < first + count;
}

/** What becomes of a run: of the paths that the changes name by number, and of the others. */
function values(changes: LayerChanges, run: Run, property: Property): readonly boolean[] {
  const [list, opposite] = [changes[property], changes[OPPOSITE[property]]];
  const of = (names: readonly Which[]) =>
    (run[property] || names.some((each) => list.includes(each))) &&
    !names.some((each) => opposite.includes(each));
  const named = new Set([...list, ...opposite].filter((each) => holds(run, each)));
  const found = [...named].map((each) => of([...run.chain, each]));
  return named.size < run.count ? [...found, of(run.chain)] : found;
}

/** With the changes. */
export function share(changes: LayerChanges, { runs }: Item, property: Property): Share {
  const found = new Set(runs.flatMap((run) => values(changes, run, property)));
  return !found.has(true) ? "none" : found.has(false) ? "some" : "all";
}

/** The item itself, or what it holds. */
function isWithin({ key, runs }: Item, each: Which): boolean {
  const isBelow = ({ chain }: Run) => {
    const at = chain.indexOf(String(key));
    return at >= 0 && chain.indexOf(String(each)) >= at;
  };
  return each === key || runs.some((run) => holds(run, each) || isBelow(run));
}

/** The changes with all of an item so, or none where all is; null where what holds it says otherwise. */
export function turned(changes: LayerChanges, item: Item, property: Property): LayerChanges | null {
  const wanted = share(changes, item, property) === "all" ? "none" : "all";
  const opposite = OPPOSITE[property];
  const without = (list: readonly Which[]) => list.filter((each) => !isWithin(item, each));
  const bare = {
    ...changes,
    [property]: without(changes[property]),
    [opposite]: without(changes[opposite]),
  };
  if (share(bare, item, property) === wanted) return bare;
  const into = wanted === "all" ? property : opposite;
  const next = { ...bare, [into]: [...bare[into], item.key] };
  return share(next, item, property) === wanted ? next : null;
}

/** A swatch in a new colour; in its old one it is no change. */
export function recoloured(changes: LayerChanges, number: number, old: string, colour: string): LayerChanges {
  const { [number]: _, ...others } = changes.swatches as Readonly<Record<number, string>>;
  return { ...changes, swatches: colour === old ? others : { ...others, [number]: colour } };
}

export function chainOf(drawing: Drawing, number: number): readonly string[] {
  const group = drawing.groups[number];
  return group === undefined ? [] : [...chainOf(drawing, group.parent), group.id];
}

export function itemOf(drawing: Drawing, group: number): Item {
  const key = drawing.groups[group]?.id ?? "";
  const runs = drawing.runs.map((run) => ({ ...run, chain: chainOf(drawing, run.group) }));
  return { key, runs: runs.filter(({ chain }) => chain.includes(key)) };
}

export function itemOfPath(drawing: Drawing, group: number, { number, hidden, locked }: LayerPath): Item {
  return {
    key: number,
    runs: [{ chain: chainOf(drawing, group), first: number, count: 1, hidden, locked }],
  };
}

export interface Numbered {
  readonly number: number;
  readonly group: LayerGroup;
}

/** The groups in a group, or at the top for -1; the topmost first, as programs for drawing show them. */
export function groupsIn({ groups }: Drawing, parent: number): readonly Numbered[] {
  return groups
    .map((group, number) => ({ number, group }))
    .filter(({ group }) => group.parent === parent)
    .toReversed();
}
