import { expect, test } from "vitest";
import type { NodeInfo } from "../messages";
import { NODE } from "./samples";
import { filmSteps, lastStep, treeRows } from "./tree";

function node(id: string, parent: string | null, fromStep: number | null = null, steps = 11): NodeInfo {
  const kept = { id, parent, from_step: fromStep, title: id };
  return parent === null ? { ...NODE, ...kept } : { ...NODE, ...kept, steps, edit: "drag" };
}

function shape(nodes: readonly NodeInfo[]): readonly string[] {
  return treeRows(nodes).map(({ node: { id }, depth }) => `${depth}${id}`);
}

test("runs that go on stay in line, branches stand in", () => {
  const nodes = [node("root", null), node("a", "root"), node("b", "a"), node("c", "a", 4), node("d", "c")];
  expect(shape(nodes)).toEqual(["0root", "1a", "2c", "2d", "1b"]);
});

test("a run from the last step by its number goes on, too", () => {
  expect(shape([node("root", null), node("a", "root"), node("b", "a", 10)])).toEqual(["0root", "1a", "1b"]);
});

test("several runs from one picture's end stand in the order in which they were made", () => {
  const results = [node("1", "a"), node("2", "a", 10), node("3", "a")];
  const nodes = [node("root", null), node("a", "root"), ...results, node("b", "1")];
  expect(shape(nodes)).toEqual(["0root", "1a", "21", "2b", "22", "23"]);
  expect(shape([node("root", null), node("a", "root"), node("b", "root")])).toEqual(["0root", "1a", "1b"]);
});

test("several roots follow each other", () => {
  expect(shape([node("r", null), node("s", null), node("a", "r")])).toEqual(["0r", "1a", "0s"]);
});

test("a node of n steps ends at n - 1; one that has none yet, at 0", () => {
  expect(lastStep(node("a", "r", null, 11))).toBe(10);
  expect(lastStep(node("a", "r", null, 0))).toBe(0);
});

test("the film keeps the steps that it shows while the run grows", () => {
  expect(filmSteps(3, 14)).toEqual([0, 1, 2, 3]);
  expect(filmSteps(20, 14)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
  for (let last = 0; last < 400; last += 1) {
    const steps = filmSteps(last, 14);
    expect(steps.length).toBeLessThanOrEqual(14);
    const later = filmSteps(last + 1, 14);
    expect(later.every((step) => steps.includes(step) || step > last)).toBe(true);
  }
});
