import { type Signal, signal } from "@preact/signals";
import { beforeEach, expect, test } from "vitest";
import type { Document, State, Thing } from "../messages";
import type { Mode } from "../modes/mode";
import { FakeSocket } from "./fakesocket";
import { DOCUMENT, NODE, stateWith } from "./samples";
import { Session } from "./session";
import { hasMoved, Things, thingOf } from "./things";
import { Tools } from "./tools";
import type { Viewing } from "./viewing";

const [MASK, OTHER] = ["1".repeat(64), "2".repeat(64)];
const ELSEWHERE = { ...NODE, id: "b".repeat(16) };

function state(document: Partial<Document>): State {
  return stateWith({ document: { ...DOCUMENT, edit: "move", ...document }, nodes: [NODE, ELSEWHERE] });
}

interface Scene {
  readonly session: Session;
  readonly socket: FakeSocket;
  readonly things: Things;
  readonly mode: Signal<Mode | null>;
}

function open(document: Partial<Document>, name = "move"): Scene {
  const session = new Session("ws://test/api/ws", null);
  const socket = FakeSocket.last();
  socket.accept();
  socket.say(state({ edit: name, ...document }));
  const inputs = name === "remove" ? ["mask"] : ["things"];
  const settings = [{ name: "preset" }];
  const mode = signal({ edit: { name, group: "Things", inputs, settings } } as unknown as Mode);
  const viewing = { previewOutdated: signal(false) } as unknown as Viewing;
  const things = new Things(session, viewing, new Tools(), mode);
  things.dispose(); // nothing is fetched here
  return { session, socket, things, mode };
}

beforeEach(() => {
  FakeSocket.install();
});

test("a thing is placed, put back and taken off, each one change", () => {
  const { things, socket, session } = open({ things: [thingOf(MASK), thingOf(OTHER)] });
  things.place(1, { shift: [3, 4], scale: 2, turn: 15 }, "Move");
  expect(socket.sent.at(-1)).toMatchObject({
    label: "Move",
    things: [thingOf(MASK), { mask: OTHER, shift: [3, 4], scale: 2, turn: 15 }],
  });
  expect(hasMoved(session.document.value ?? DOCUMENT)).toBe(true);
  things.putBack(1);
  expect(hasMoved(session.document.value ?? DOCUMENT)).toBe(false);
  things.remove(0);
  expect(session.document.value?.things.map(({ mask }: Thing) => mask)).toEqual([OTHER]);
});

test("another task takes its settings along; pasting begins without the selection", () => {
  const { things, session } = open({ things: [thingOf(MASK)], settings: { move: { preset: "copy" } } });
  const settings = [{ name: "preset" }];
  const edits = ["move", "remove", "paste"].map((name) => ({ name, settings }));
  session.welcome.value = { edits: [...edits, { name: "other", settings: [] }] } as never;
  expect(things.task("other")).toEqual({ edit: "other" });
  session.change({ label: "Remove", ...things.task("remove") });
  expect(session.document.value).toMatchObject({ edit: "remove", settings: { remove: { preset: "copy" } } });
  expect(session.document.value?.things).toHaveLength(1);
  session.change({ label: "Paste", ...things.task("paste") });
  expect(session.document.value?.things).toEqual([]);
});

test("who fetches something elsewhere comes back to the task and the selection", () => {
  const { things, socket } = open({ things: [thingOf(MASK)] }, "swap");
  const place = { node: ELSEWHERE.id, step: 0 };
  things.leaveFor(place);
  expect(socket.sent.at(-1)).toMatchObject({ type: "go", place });
  socket.say(state({ edit: "swap", at: place, things: [thingOf(OTHER)] }));
  things.comeBack(false);
  expect(socket.sent.slice(-2)).toMatchObject([
    { type: "go", place: { node: NODE.id, step: 0 } },
    { type: "change", edit: "swap", things: [thingOf(MASK)] },
  ]);
  expect(things.origin.value).toBeNull();
});

test("without a model only copies can be made, which is said", () => {
  const { things, session } = open({});
  session.welcome.value = { diffusers: [] } as never;
  expect(things.obstacle.value).toMatch(/Without diffusers/);
  session.change({ label: "Preset", settings: { preset: "copy" } });
  expect(things.obstacle.value).toBeNull();
});
