import { type Signal, signal } from "@preact/signals";
import { beforeEach, expect, test } from "vitest";
import type { Document, Prompt, State } from "../messages";
import type { Mode } from "../modes/mode";
import { FakeSocket } from "./fakesocket";
import { Boxes, MOST_PROMPTS, Prompts, unfinished } from "./prompts";
import { DOCUMENT, NODE, stateWith } from "./samples";
import { Session } from "./session";

const WHOLE: Prompt = { text: "fire", box: null, strength: 1 };
const BOXED: Prompt = { text: "", box: [1, 2, 30, 40], strength: 1 };

function state(document: Partial<Document>): State {
  return stateWith({ document: { ...DOCUMENT, edit: "restyle", ...document }, nodes: [NODE] });
}

interface Scene {
  readonly session: Session;
  readonly socket: FakeSocket;
  readonly prompts: Prompts;
  readonly boxes: Boxes;
  readonly editable: Signal<boolean>;
}

function open(document: Partial<Document>, inputs: readonly string[] = ["prompts"]): Scene {
  const session = new Session("ws://test/api/ws", null);
  const socket = FakeSocket.last();
  socket.accept();
  socket.say(state(document));
  const mode = signal({ edit: { name: "restyle", inputs } } as unknown as Mode);
  const prompts = new Prompts(session, mode);
  const editable = signal(true);
  return { session, socket, prompts, boxes: new Boxes(session, prompts, mode, editable), editable };
}

beforeEach(() => FakeSocket.install());

test("boxes carry the number and the colour of their prompt", () => {
  const { boxes, prompts } = open({ prompts: [WHOLE, BOXED] });
  expect(boxes.shown.value).toMatchObject([{ box: BOXED.box, number: 2, text: "" }]);
  expect([boxes.placeOf(0), boxes.placeOf(1)]).toEqual([null, 0]);
  prompts.set(1, { text: "ice" }, "Write words");
  expect(boxes.shown.value?.[0]?.text).toBe("ice");
});

test("a drawn box is a prompt to be written, and is selected", () => {
  const { boxes, prompts, socket } = open({ prompts: [WHOLE, BOXED] });
  boxes.change(null, [5, 5, 20, 20]);
  expect(socket.sent.at(-1)).toMatchObject({
    label: "Add box",
    prompts: [WHOLE, BOXED, { text: "", box: [5, 5, 20, 20] }],
  });
  expect([boxes.selected.value, prompts.fresh.value]).toEqual([1, 2]);
});

test("words for the whole come first, and a moved box keeps its words", () => {
  const { boxes, prompts } = open({ prompts: [{ ...BOXED, text: "ice" }] });
  prompts.add(null);
  expect(prompts.all.value.map(({ box }) => box === null)).toEqual([true, false]);
  boxes.change(0, [9, 9, 9, 9]);
  expect(prompts.all.value[1]).toEqual({ text: "ice", box: [9, 9, 9, 9], strength: 1 });
});

test("nothing runs before all words are written; what is being written counts", () => {
  expect(unfinished([WHOLE, BOXED])).toBe("Write what box 2 should become.");
  expect(unfinished([{ ...WHOLE, text: "  " }])).toBe("Write what the drawing should become.");
  const { prompts } = open({ prompts: [WHOLE, BOXED] });
  expect(prompts.obstacle.value).toMatch(/box 2/);
  prompts.draft.value = { index: 1, text: "ice" };
  expect(prompts.obstacle.value).toBeNull();
});

test("without a model nothing can be read, which is said", () => {
  const { prompts, session } = open({}, ["prompts", "words"]);
  session.welcome.value = { words: [] } as never;
  expect(prompts.obstacle.value).toMatch(/words-small is not installed/);
});

test("boxes of a tracing are the document's own, are chosen in turn, and deleted", () => {
  const { boxes, socket, session } = open({ boxes: [[1, 1, 9, 9]] }, ["boxes"]);
  boxes.change(null, [20, 20, 9, 9]);
  expect(socket.sent.at(-1)).toMatchObject({
    boxes: [
      [1, 1, 9, 9],
      [20, 20, 9, 9],
    ],
  });
  boxes.choose(1);
  expect(boxes.selected.value).toBe(0);
  boxes.choose(-1);
  expect(boxes.selected.value).toBe(1);
  boxes.remove(1);
  expect([session.document.value?.boxes, boxes.selected.value]).toEqual([[[1, 1, 9, 9]], null]);
});

test("there is an end to prompts, and none is changed while a run goes on", () => {
  const { prompts, boxes, editable, socket } = open({ prompts: Array(MOST_PROMPTS).fill(WHOLE) });
  const before = socket.sent.length;
  prompts.add(null);
  editable.value = false;
  boxes.change(null, [5, 5, 20, 20]);
  boxes.remove(0);
  expect(socket.sent.length).toBe(before);
});
