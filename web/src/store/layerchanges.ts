/** What a person does with the layers of a drawing, as the server will apply it: shown wins over hidden, unlocked over locked. */

import type { Drawing, LayerChanges, LayerGroup } from "../messages";

export type Which = string | number;

/** A group, or a path of one. */
export interface Item {
  /** Ids of the groups that hold it, its own (or its number) last. */
  readonly chain: readonly Which[];
  /** As the drawing has it. */
  readonly hidden: boolean;
  readonly locked: boolean;
}

export type Property = "hidden" | "locked";

const OPPOSITE = { hidden: "shown", locked: "unlocked" } as const;

export const NO_CHANGES: LayerChanges = { hidden: [], shown: [], locked: [], unlocked: [], swatches: {} };

export function isUnchanged(changes: LayerChanges): boolean {
  const { swatches, ...lists } = changes;
  return Object.keys(swatches).length === 0 && Object.values(lists).every((list) => list.length === 0);
}

function names(list: readonly Which[], { chain }: Item): boolean {
  return chain.some((each) => list.includes(each));
}

/** With the changes. */
export function has(changes: LayerChanges, item: Item, property: Property): boolean {
  return (item[property] || names(changes[property], item)) && !names(changes[OPPOSITE[property]], item);
}

/** The changes with the property of an item turned round; null where that cannot be said, as what holds it says otherwise. */
export function turned(changes: LayerChanges, item: Item, property: Property): LayerChanges | null {
  const wanted = !has(changes, item, property);
  const key = item.chain.at(-1);
  if (key === undefined) return null;
  const without = (list: readonly Which[]) => list.filter((each) => each !== key);
  const [list, opposite] = [without(changes[property]), without(changes[OPPOSITE[property]])];
  const bare = { ...changes, [property]: list, [OPPOSITE[property]]: opposite };
  if (has(bare, item, property) === wanted) return bare;
  const next = wanted
    ? { ...bare, [property]: [...list, key] }
    : { ...bare, [OPPOSITE[property]]: [...opposite, key] };
  return has(next, item, property) === wanted ? next : null;
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

export function itemOf(drawing: Drawing, number: number): Item {
  const { hidden = false, locked = false } = drawing.groups[number] ?? {};
  return { chain: chainOf(drawing, number), hidden, locked };
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
