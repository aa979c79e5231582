import { expect, test } from "vitest";
import type { Drawing } from "../messages";
import {
  chainOf,
  groupsIn,
  type Item,
  isUnchanged,
  itemOf,
  itemOfPath,
  NO_CHANGES,
  recoloured,
  share,
  turned,
} from "./layerchanges";

function group(id: string, parent: number) {
  return { id, label: id, parent, paths: 1 };
}

function run(group: number, first: number, count: number, hidden = false) {
  return { group, first, count, hidden, locked: false };
}

function path(number: number, hidden = false) {
  return { number, name: "", fill: 0, stroke: -1, hidden, locked: false };
}

const DRAWING: Drawing = {
  groups: [group("tree", -1), group("crown", 0), group("sky", -1), group("leaf", 1)],
  runs: [run(2, 0, 2), run(2, 2, 1, true), run(0, 3, 2), run(1, 5, 4), run(3, 9, 1)],
  loose: 0,
  swatches: [],
  colours: 0,
};
const [TREE, CROWN, SKY, LEAF] = [0, 1, 2, 3].map((number) => itemOf(DRAWING, number)) as [
  Item,
  Item,
  Item,
  Item,
];
const PATH = itemOfPath(DRAWING, 1, path(7));

test("groups are listed the topmost first, with the way to each", () => {
  expect(groupsIn(DRAWING, -1).map(({ number }) => number)).toEqual([2, 0]);
  expect(chainOf(DRAWING, 3)).toEqual(["tree", "crown", "leaf"]);
});

test("what holds a thing hides it", () => {
  const changes = { ...NO_CHANGES, hidden: ["tree"] };
  expect([TREE, CROWN, LEAF, PATH].map((each) => share(changes, each, "hidden"))).toEqual(
    Array(4).fill("all"),
  );
  expect(share(NO_CHANGES, CROWN, "hidden")).toBe("none");
});

test("turned twice, nothing is changed", () => {
  const once = turned(NO_CHANGES, CROWN, "hidden");
  expect(once).toEqual({ ...NO_CHANGES, hidden: ["crown"] });
  expect(once && turned(once, CROWN, "hidden")).toEqual(NO_CHANGES);
});

test("what the drawing hides is shown by name", () => {
  const hidden = itemOfPath(DRAWING, 2, path(2, true));
  const shown = turned(NO_CHANGES, hidden, "hidden");
  expect(shown).toEqual({ ...NO_CHANGES, shown: [2] });
  expect(shown && share(shown, hidden, "hidden")).toBe("none");
  expect(shown && share(shown, SKY, "hidden")).toBe("none");
});

test("a group of which some is hidden says so, and so do those that hold it", () => {
  const changes = { ...NO_CHANGES, hidden: [7] };
  expect([TREE, CROWN, LEAF, PATH].map((each) => share(changes, each, "hidden"))).toEqual([
    "some",
    "some",
    "none",
    "all",
  ]);
  expect(share(NO_CHANGES, SKY, "hidden")).toBe("some");
  expect(share({ ...NO_CHANGES, hidden: ["crown"], shown: [7] }, CROWN, "hidden")).toBe("some");
  expect(share({ ...NO_CHANGES, hidden: [5, 6, 7, 8, 9] }, CROWN, "hidden")).toBe("all");
});

test("a mixed group is hidden as a whole, then shown as a whole, whatever was said of what it holds", () => {
  const mixed = { ...NO_CHANGES, hidden: ["leaf", 3, 0], shown: [7, 2] };
  const all = turned(mixed, CROWN, "hidden");
  expect(all).toEqual({ ...NO_CHANGES, hidden: [3, 0, "crown"], shown: [2] });
  expect(all && turned(all, CROWN, "hidden")).toEqual({ ...NO_CHANGES, hidden: [3, 0], shown: [2] });
  const sky = turned(NO_CHANGES, SKY, "hidden");
  expect(sky).toEqual({ ...NO_CHANGES, hidden: ["sky"] });
  expect(sky && turned(sky, SKY, "hidden")).toEqual({ ...NO_CHANGES, shown: ["sky"] });
});

test("a path of a hidden group is shown alone; one of a group that is shown by name cannot be hidden alone", () => {
  const hidden = { ...NO_CHANGES, hidden: ["crown"] };
  expect(turned(hidden, PATH, "hidden")).toEqual({ ...hidden, shown: [7] });
  expect(turned({ ...NO_CHANGES, shown: ["crown"] }, PATH, "hidden")).toBeNull();
});

test("locks are turned by themselves", () => {
  expect(turned(NO_CHANGES, PATH, "locked")).toEqual({ ...NO_CHANGES, locked: [7] });
});

test("a colour that is chosen back is no change", () => {
  const red = recoloured(NO_CHANGES, 3, "#00ff00", "#ff0000");
  expect(red.swatches).toEqual({ 3: "#ff0000" });
  expect(isUnchanged(red)).toBe(false);
  expect(isUnchanged(recoloured(red, 3, "#00ff00", "#00ff00"))).toBe(true);
});
