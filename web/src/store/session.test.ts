import { beforeEach, expect, test, vi } from "vitest";
import { FakeSocket } from "./fakesocket";
import { DOCUMENT, factsWith, NODE, RUN, stateWith as state } from "./samples";
import { Session } from "./session";

const POINT = { handle: [1, 2], target: [3, 4], locked: false } as const;

function open(): { session: Session; socket: FakeSocket } {
  const session = new Session("ws://test/api/ws", null);
  const socket = FakeSocket.last();
  socket.accept();
  socket.say({
    type: "welcome",
    session: "b".repeat(32),
    version: "0",
    edits: [],
    models: [],
    words: [],
    diffusers: [],
    selectors: [],
    device: "cpu",
    test: true,
    video: true,
    image_bytes: 2 ** 25,
    drawing_bytes: 2 ** 24,
    project_bytes: 2 ** 29,
  });
  socket.say(state());
  return { session, socket };
}

beforeEach(() => FakeSocket.install());

test("a gesture is shown before the server answers and stays when it does", () => {
  const { session, socket } = open();
  session.change({ label: "Add point", points: [POINT] });
  expect(session.document.value?.points).toEqual([POINT]);
  expect(socket.sent.at(-1)).toEqual({ type: "change", label: "Add point", points: [POINT] });
  socket.say(state({ saved: false }));
  expect(session.document.value?.points).toEqual([POINT]);
  socket.say(state({ document: { ...DOCUMENT, points: [POINT] } }));
  socket.say(state());
  expect(session.document.value?.points).toEqual([]);
});

test("a gesture that the server refuses is taken back, with its sentence", () => {
  const { session, socket } = open();
  session.change({ label: "Add point", points: [POINT] });
  socket.say({ type: "problem", about: "points", sentence: "Outside the picture." });
  expect(session.document.value?.points).toEqual([]);
  expect(session.problems.value.map(({ sentence }) => sentence)).toEqual(["Outside the picture."]);
  session.dismiss("points");
  expect(session.problems.value).toEqual([]);
});

test("a gesture that the server never shows is forgotten", () => {
  vi.useFakeTimers();
  const { session, socket } = open();
  session.change({ label: "Add point", points: [POINT] });
  vi.advanceTimersByTime(4000);
  socket.say(state());
  expect(session.document.value?.points).toEqual([]);
  vi.useRealTimers();
});

test("a run goes on until the state says that it is over", () => {
  const { session, socket } = open();
  session.start(false);
  socket.say({ type: "progress", run: RUN });
  socket.say({ type: "ended", node: NODE.id, reason: "arrived", steps: 12, seconds: 1 });
  expect(session.run.value).toEqual(RUN);
  socket.say(state());
  expect(session.run.value).toBeNull();
  expect(session.ended.value?.reason).toBe("arrived");
});

test("a reconnection asks for the same session", () => {
  const { session } = open();
  FakeSocket.last().drop();
  session.retryNow();
  FakeSocket.last().accept();
  expect(FakeSocket.last().sent[0]).toEqual({ type: "hello", session: "b".repeat(32) });
});

test("an export that was cancelled shows no late progress", () => {
  const { session, socket } = open();
  session.export({ format: "gif", place: { node: NODE.id, step: 3 } });
  session.cancelExport();
  socket.say({ type: "export_progress", done: 1, total: 9, seconds_left: 2 });
  expect(session.exporting.value).toBeNull();
});

test("facts of frames gather by node", () => {
  const { session } = open();
  const facts = factsWith({ distances: [4], loss: 1, strain: 0.5 });
  session.learn(NODE.id, [facts], [[9, 9]]);
  session.learn(NODE.id, [{ ...facts, step: 1 }]);
  expect(session.measured.value.get(NODE.id)).toMatchObject({
    targets: [[9, 9]],
    facts: [{ step: 0 }, { step: 1 }],
  });
});
