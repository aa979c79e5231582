import { expect, test } from "vitest";
import type { Document, EditInfo } from "../messages";
import { DOCUMENT as EMPTY, NODE } from "../store/samples";
import { levelOf } from "../ui/strain";
import { makeMode, obstacle } from "./mode";

const EDIT: EditInfo = {
  name: "fresh",
  title: "Fresh edit",
  summary: "",
  pictures: ["latent"],
  group: "",
  inputs: ["points", "mask"],
  optional: ["mask"],
  preview: false,
  settings: [],
};
const DOCUMENT: Document = { ...EMPTY, edit: "fresh" };
const POINT = { handle: [1, 2], target: [3, 4], locked: false } as const;

test("an edit that nobody wrote code for is a mode with its inputs' tools", () => {
  const mode = makeMode(EDIT);
  expect(mode.tools).toEqual(["point", "brush", "pan"]);
  expect(mode.inputs.map(({ kind }) => kind)).toEqual(["points", "mask"]);
  expect(mode.special).toEqual({});
  expect(makeMode({ ...EDIT, inputs: ["mask"] }).tools).toEqual(["brush", "pan"]);
});

test("it runs once all is given that it needs", () => {
  const mode = makeMode(EDIT);
  expect(obstacle(mode, DOCUMENT, null)).toMatch(/Choose a picture/);
  expect(obstacle(mode, DOCUMENT, NODE)).toMatch(/Click a point/);
  expect(obstacle(mode, { ...DOCUMENT, points: [POINT] }, NODE)).toBeNull();
  expect(obstacle(makeMode({ ...EDIT, optional: [] }), { ...DOCUMENT, points: [POINT] }, NODE)).toMatch(
    /Paint/,
  );
  expect(obstacle(mode, { ...DOCUMENT, points: [POINT] }, { ...NODE, kind: "pixels" })).toMatch(
    /needs a generated picture; this is a photo/,
  );
});

test("strain is fine up to 1, high up to 2.5, far beyond", () => {
  expect([0.4, 1, 1.2, 2.5, 2.6].map(levelOf)).toEqual(["fine", "fine", "high", "high", "far"]);
});
