import { expect, test } from "vitest";
import { FIRST_CLASSES, fromHex, renamed, sameClasses, secondsLeft, toHex, withFresh } from "./labels";

test("colours as the browser writes them", () => {
  expect(toHex([0, 15, 255])).toBe("#000fff");
  expect(fromHex("#000fff")).toEqual([0, 15, 255]);
});

test("the first parts differ in name and colour", () => {
  expect(new Set(FIRST_CLASSES.map(({ name }) => name)).size).toBe(7);
  expect(new Set(FIRST_CLASSES.map(({ colour }) => toHex(colour))).size).toBe(7);
});

test("one more part has a name and a colour that no other has", () => {
  let classes = FIRST_CLASSES;
  for (let count = 0; count < 4; count++) classes = withFresh(classes);
  expect(classes).toHaveLength(11);
  expect(new Set(classes.map(({ name }) => name)).size).toBe(11);
  expect(new Set(classes.map(({ colour }) => toHex(colour))).size).toBe(11);
});

test("a name is neither empty nor twice there", () => {
  expect(renamed(FIRST_CLASSES, 1, "  cheeks ")[1]?.name).toBe("cheeks");
  expect(renamed(FIRST_CLASSES, 1, " ")).toBe(FIRST_CLASSES);
  expect(renamed(FIRST_CLASSES, 1, "hair")).toBe(FIRST_CLASSES);
  expect(sameClasses(renamed(FIRST_CLASSES, 1, "cheeks"), FIRST_CLASSES)).toBe(false);
  expect(sameClasses([...FIRST_CLASSES], FIRST_CLASSES)).toBe(true);
});

test("how long training still takes", () => {
  const training = { stage: "head 1 of 10", done: 25, total: 100, loss: null };
  expect(secondsLeft(training, 10)).toBe(30);
  expect(secondsLeft({ ...training, done: 0 }, 10)).toBeNull();
});
