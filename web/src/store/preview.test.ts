import { type Signal, signal } from "@preact/signals";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Document, EditInfo, State } from "../messages";
import type { Mode } from "../modes/mode";
import { FakeSocket } from "./fakesocket";
import { Preview } from "./preview";
import { DOCUMENT as EMPTY, NODE, RUN, stateWith } from "./samples";
import { Session } from "./session";
import type { Viewing } from "./viewing";

const EDIT: EditInfo = {
  name: "repaint",
  title: "Repaint parts",
  summary: "",
  pictures: ["latent"],
  group: "",
  inputs: ["parts"],
  optional: [],
  preview: true,
  settings: [],
};
const DOCUMENT: Document = { ...EMPTY, edit: "repaint" };
const PREVIEW = { ...RUN, node: null, edit: "repaint", preview: true };

function state(part: Partial<State> = {}): State {
  return stateWith({ document: DOCUMENT, nodes: [NODE], ...part });
}

function painted(parts: string): State {
  return state({ document: { ...DOCUMENT, parts } });
}

interface Scene {
  readonly session: Session;
  readonly socket: FakeSocket;
  readonly preview: Preview;
  readonly possible: Signal<boolean>;
  readonly dropped: () => number;
  readonly takesPreviews: Signal<boolean>;
}

// the part of `Viewing` that a preview is shown by; the rest decodes pictures, which Node cannot
function open(): Scene {
  const session = new Session("ws://test/api/ws", null);
  const socket = FakeSocket.last();
  socket.accept();
  socket.say(state());
  const dropPreview = vi.fn();
  const takesPreviews = signal(false);
  const viewing = { takesPreviews, previewOutdated: signal(false), dropPreview } as unknown as Viewing;
  const input = {
    kind: "parts",
    title: "Parts",
    given: (it: Document) => it.parts !== null,
    wanted: "Paint.",
  };
  const mode = { edit: EDIT, tools: [], inputs: [input], special: {} } as unknown as Mode;
  const possible = signal(true);
  const preview = new Preview(session, viewing, {
    modes: signal([mode]),
    mode: signal(mode),
    layers: signal(null),
    possible,
  });
  return { session, socket, preview, possible, dropped: () => dropPreview.mock.calls.length, takesPreviews };
}

function sent({ socket }: Scene, type: string): number {
  return socket.sent.filter((message) => message.type === type).length;
}

beforeEach(() => {
  FakeSocket.install();
  vi.useFakeTimers();
});

afterEach(() => vi.useRealTimers());

test("a preview is asked for when the hand rests, and not before something was painted", () => {
  const scene = open();
  vi.advanceTimersByTime(1000);
  expect(sent(scene, "preview")).toBe(0);
  scene.socket.say(painted("1".repeat(64)));
  expect(sent(scene, "preview")).toBe(0);
  vi.advanceTimersByTime(160);
  expect(sent(scene, "preview")).toBe(1);
  scene.socket.say(painted("1".repeat(64)));
  vi.advanceTimersByTime(1000);
  expect(sent(scene, "preview")).toBe(1);
});

test("changes that follow each other quickly are one preview", () => {
  const scene = open();
  for (const digit of ["1", "2", "3"]) {
    scene.socket.say(painted(digit.repeat(64)));
    vi.advanceTimersByTime(40);
  }
  vi.advanceTimersByTime(1000);
  expect(sent(scene, "preview")).toBe(1);
});

test("a preview is no run, and ends when nothing is painted any more", () => {
  const scene = open();
  scene.socket.say(painted("1".repeat(64)));
  vi.advanceTimersByTime(160);
  scene.socket.say({ type: "progress", run: PREVIEW });
  expect(scene.session.run.value).toBeNull();
  expect(scene.session.previewing.value).toEqual(PREVIEW);
  scene.socket.say({ type: "ended", node: null, reason: "interrupted", steps: 3, seconds: 1 });
  expect(scene.session.ended.value).toBeNull();
  expect(scene.takesPreviews.value).toBe(true);
  scene.socket.say(state({ run: PREVIEW }));
  expect(scene.takesPreviews.value).toBe(false);
  expect(sent(scene, "stop")).toBe(1);
});

test("none is asked for where none is possible, wanted or left after a moment", () => {
  const scene = open();
  scene.possible.value = false;
  scene.socket.say(painted("1".repeat(64)));
  vi.advanceTimersByTime(1000);
  scene.preview.live.value = false;
  scene.possible.value = true;
  vi.advanceTimersByTime(1000);
  scene.preview.live.value = true;
  vi.advanceTimersByTime(100);
  scene.possible.value = false;
  vi.advanceTimersByTime(1000);
  expect(sent(scene, "preview")).toBe(0);
});

test("undo ends a preview on the server, so it is asked for again", () => {
  const scene = open();
  scene.socket.say(painted("1".repeat(64)));
  vi.advanceTimersByTime(160);
  scene.session.undo();
  vi.advanceTimersByTime(160);
  expect(sent(scene, "preview")).toBe(2);
});

test("the preview of another frame is not shown", () => {
  const scene = open();
  scene.socket.say(painted("1".repeat(64)));
  const before = scene.dropped();
  scene.socket.say(state({ document: { ...DOCUMENT, at: { node: NODE.id, step: 5 } } }));
  expect(scene.dropped()).toBe(before + 1);
});
