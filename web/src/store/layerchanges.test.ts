import { expect, test } from "vitest";
import type { Drawing } from "../messages";
import {
  chainOf,
  groupsIn,
  has,
  type Item,
  isUnchanged,
  NO_CHANGES,
  recoloured,
  turned,
} from "./layerchanges";

function group(id: string, parent: number) {
  return { id, label: id, parent, paths: 1, hidden: false, locked: false };
}

const DRAWING: Drawing = {
  groups: [group("tree", -1), group("crown", 0), group("sky", -1), group("leaf", 1)],
  loose: 0,
  swatches: [],
  colours: 0,
};
const CROWN: Item = { chain: ["tree", "crown"], hidden: false, locked: false };
const LEAF: Item = { chain: ["tree", "crown", 7], hidden: false, locked: false };

test("groups are listed the topmost first, with the way to each", () => {
  expect(groupsIn(DRAWING, -1).map(({ number }) => number)).toEqual([2, 0]);
  expect(chainOf(DRAWING, 3)).toEqual(["tree", "crown", "leaf"]);
});

test("what holds a thing hides it", () => {
  const changes = { ...NO_CHANGES, hidden: ["tree"] };
  expect([has(changes, CROWN, "hidden"), has(changes, LEAF, "hidden")]).toEqual([true, true]);
  expect(has(changes, { ...LEAF, chain: ["sky", 7] }, "hidden")).toBe(false);
});

test("turned twice, nothing is changed", () => {
  const once = turned(NO_CHANGES, CROWN, "hidden");
  expect(once).toEqual({ ...NO_CHANGES, hidden: ["crown"] });
  expect(once && turned(once, CROWN, "hidden")).toEqual(NO_CHANGES);
});

test("what the drawing hides is shown by name", () => {
  const hidden = { ...CROWN, hidden: true };
  const shown = turned(NO_CHANGES, hidden, "hidden");
  expect(shown).toEqual({ ...NO_CHANGES, shown: ["crown"] });
  expect(shown && has(shown, hidden, "hidden")).toBe(false);
});

test("a path of a hidden group is shown alone; one of a group that is shown by name cannot be hidden alone", () => {
  const hidden = { ...NO_CHANGES, hidden: ["crown"] };
  expect(turned(hidden, LEAF, "hidden")).toEqual({ ...hidden, shown: [7] });
  expect(turned({ ...NO_CHANGES, shown: ["crown"] }, LEAF, "hidden")).toBeNull();
});

test("locks are turned by themselves", () => {
  expect(turned(NO_CHANGES, LEAF, "locked")).toEqual({ ...NO_CHANGES, locked: [7] });
});

test("a colour that is chosen back is no change", () => {
  const red = recoloured(NO_CHANGES, 3, "#00ff00", "#ff0000");
  expect(red.swatches).toEqual({ 3: "#ff0000" });
  expect(isUnchanged(red)).toBe(false);
  expect(isUnchanged(recoloured(red, 3, "#00ff00", "#00ff00"))).toBe(true);
});
