import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeSocket } from "./fakesocket";
import { backoff, Connection, type FromServer } from "./socket";

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.install();
});

afterEach(() => vi.useRealTimers());

function connect() {
  const heard = { texts: [] as FromServer[], frames: 0, statuses: [] as string[] };
  const connection = new Connection("ws://test/api/ws", {
    onText: (message) => heard.texts.push(message),
    onFrame: () => {
      heard.frames += 1;
    },
    onStatus: (status) => heard.statuses.push(status),
    hello: () => ({ type: "hello", session: null }),
  });
  return { connection, heard };
}

test("waits longer from try to try, but never long", () => {
  expect([0, 1, 2, 10].map(backoff)).toEqual([0.25, 0.5, 1, 5]);
});

test("greets, then hears texts and frames", () => {
  const { heard } = connect();
  const socket = FakeSocket.last();
  expect(socket.protocol).toBe("pliant.v1");
  socket.accept();
  expect(socket.sent).toEqual([{ type: "hello", session: null }]);
  socket.say({ type: "hints", hints: [], notes: [] });
  socket.onmessage?.({ data: new ArrayBuffer(8) });
  expect([heard.texts.length, heard.frames]).toEqual([1, 1]);
});

test("a dropped connection is opened again, and gestures made meanwhile are sent", () => {
  const { connection, heard } = connect();
  FakeSocket.last().accept();
  FakeSocket.last().drop();
  connection.send({ type: "undo" });
  connection.send({ type: "ack", number: 4 });
  vi.advanceTimersByTime(250);
  expect(FakeSocket.made.length).toBe(2);
  FakeSocket.last().accept();
  expect(FakeSocket.last().sent).toEqual([{ type: "hello", session: null }, { type: "undo" }]);
  expect(heard.statuses).toEqual(["connecting", "open", "lost", "lost", "open"]);
});

test("a server that hangs up with a reason is not asked again by itself", () => {
  const { connection, heard } = connect();
  FakeSocket.last().accept();
  FakeSocket.last().say({ type: "problem", about: "connection", sentence: "Opened elsewhere." });
  FakeSocket.last().drop();
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.made.length).toBe(1);
  expect(heard.statuses.at(-1)).toBe("refused");
  connection.retryNow();
  expect(FakeSocket.made.length).toBe(2);
});

test("closed for good", () => {
  const { connection } = connect();
  connection.close();
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.made.length).toBe(1);
});
