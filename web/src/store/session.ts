/** What the server says of one session, as signals, and what the page asks of it. */

import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type {
  Change,
  Document,
  Ended,
  Export,
  Exported,
  ExportProgress,
  NodeInfo,
  Place,
  Problem,
  RunInfo,
  Script,
  State,
  StepFacts,
  Trained,
  VectorSaved,
  Welcome,
} from "../messages";
import { type Frame, readFrame } from "./frames";
import { apply, mergeFacts, unanswered, withProblem, type XY } from "./reduce";
import { type Connected, Connection, type FromPage, type FromServer } from "./socket";

/** A gesture is shown at once; after this many milliseconds only what the server says counts. */
const PATIENCE = 3000;

/** Problems with what a gesture would have changed. */
const OF_CHANGES: readonly Problem["about"][] = [
  "points",
  "mask",
  "parts",
  "vectors",
  "prompts",
  "layers",
  "boxes",
  "things",
  "settings",
];

export interface Measured {
  readonly targets: readonly XY[];
  readonly facts: readonly StepFacts[];
}

interface Sent {
  readonly change: Change;
  readonly at: number;
}

export class Session {
  readonly connected: Signal<Connected> = signal("connecting");
  readonly welcome: Signal<Welcome | null> = signal(null);
  readonly state: Signal<State | null> = signal(null);
  /** The run in progress; a preview is none. */
  readonly run: Signal<RunInfo | null> = signal(null);
  readonly previewing: Signal<RunInfo | null> = signal(null);
  readonly ended: Signal<Ended | null> = signal(null);
  readonly hints: Signal<readonly { point: number; sentence: string; better: XY | null }[]> = signal([]);
  /** What else a person should know before a run, such as words that the model does not know. */
  readonly notes: Signal<readonly string[]> = signal([]);
  readonly problems: Signal<readonly Problem[]> = signal([]);
  readonly exporting: Signal<ExportProgress | null> = signal(null);
  readonly exported: Signal<Exported | null> = signal(null);
  readonly script: Signal<Script | null> = signal(null);
  /** The last part head that was trained. */
  readonly trained: Signal<Trained | null> = signal(null);
  /** The last learnt edit that was kept. */
  readonly vectorSaved: Signal<VectorSaved | null> = signal(null);
  /** How often the person went elsewhere in time: undo, redo, another frame. */
  readonly travels: Signal<number> = signal(0);
  readonly measured: Signal<ReadonlyMap<string, Measured>> = signal(new Map());

  private readonly sent: Signal<readonly Sent[]> = signal([]);
  readonly document: ReadonlySignal<Document | null> = computed(() => {
    const state = this.state.value;
    if (state === null) return null;
    return this.sent.value.reduce((document, { change }) => apply(document, change), state.document);
  });
  readonly nodes: ReadonlySignal<readonly NodeInfo[]> = computed(() => this.state.value?.nodes ?? []);

  /** Called with every frame of a run; it must be acknowledged by `acknowledge`. */
  onFrame: (frame: Frame) => void = ({ head }) => this.acknowledge(head.number);
  private readonly connection: Connection;

  constructor(address: string, known: string | null) {
    this.connection = new Connection(address, {
      onText: (message) => this.receive(message),
      onFrame: (data) => this.receiveFrame(data),
      onStatus: (status) => {
        this.connected.value = status;
      },
      hello: () => ({ type: "hello", session: this.welcome.value?.session ?? known }),
    });
  }

  get id(): string {
    return this.welcome.value?.session ?? "";
  }

  send(message: FromPage): void {
    this.connection.send(message);
  }

  retryNow(): void {
    this.connection.retryNow();
  }

  close(): void {
    this.connection.close();
  }

  /** One finished gesture: shown at once, and one step of undo. */
  change(change: Omit<Change, "type">): void {
    const full: Change = { type: "change", ...change };
    this.sent.value = [...this.sent.value, { change: full, at: Date.now() }];
    this.send(full);
  }

  undo(): void {
    this.travel({ type: "undo" });
  }

  redo(): void {
    this.travel({ type: "redo" });
  }

  go(place: Place, points: "keep" | "clear" | "follow"): void {
    this.travel({ type: "go", place, points });
  }

  private travel(message: FromPage): void {
    this.sent.value = [];
    this.travels.value += 1;
    this.send(message);
  }

  start(goOn: boolean, candidates = 1): void {
    this.ended.value = null;
    this.dismiss("run");
    this.send({ type: "start", go_on: goOn, candidates });
  }

  export(wanted: Omit<Export, "type">): void {
    this.dismiss("export");
    this.exported.value = null;
    this.exporting.value = { type: "export_progress", done: 0, total: 0, seconds_left: null };
    this.send({ type: "export", ...wanted });
  }

  cancelExport(): void {
    this.exporting.value = null;
    this.send({ type: "cancel_export" });
  }

  acknowledge(number: number): void {
    this.send({ type: "ack", number });
  }

  report(about: Problem["about"], sentence: string): void {
    this.problems.value = withProblem(this.problems.value, { type: "problem", about, sentence });
  }

  dismiss(about: Problem["about"]): void {
    this.problems.value = this.problems.value.filter((each) => each.about !== about);
  }

  /** Facts that came with frames or with a GET of an old run. */
  learn(node: string, facts: readonly StepFacts[], targets?: readonly XY[]): void {
    const known = this.measured.value.get(node) ?? { targets: [], facts: [] };
    const next = { targets: targets ?? known.targets, facts: mergeFacts(known.facts, facts) };
    this.measured.value = new Map(this.measured.value).set(node, next);
  }

  private receive(message: FromServer): void {
    batch(() => {
      switch (message.type) {
        case "welcome":
          this.welcome.value = message;
          this.dismiss("connection");
          this.exporting.value = null;
          break;
        case "state":
          this.takeState(message);
          break;
        case "progress":
          this.takeRun(message.run);
          break;
        case "ended":
          if (message.node !== null || this.run.value !== null) this.ended.value = message;
          break;
        case "hints":
          this.hints.value = message.hints;
          this.notes.value = message.notes;
          break;
        case "export_progress":
          if (this.exporting.value) this.exporting.value = message;
          break;
        case "exported":
          this.exporting.value = null;
          this.exported.value = message;
          break;
        case "script":
          this.script.value = message;
          break;
        case "trained":
          this.trained.value = message;
          break;
        case "vector_saved":
          this.vectorSaved.value = message;
          break;
        case "problem":
          this.takeProblem(message);
      }
    });
  }

  private takeState(state: State): void {
    const fresh = this.sent.value.filter(({ at }) => Date.now() - at < PATIENCE);
    const left = unanswered(
      state.document,
      fresh.map(({ change }) => change),
    );
    this.sent.value = fresh.slice(fresh.length - left.length);
    this.state.value = state;
    this.takeRun(state.run);
  }

  private takeRun(run: RunInfo | null): void {
    this.run.value = run?.preview ? null : run;
    this.previewing.value = run?.preview ? run : null;
  }

  private takeProblem(problem: Problem): void {
    if (OF_CHANGES.includes(problem.about)) this.sent.value = [];
    if (problem.about === "export") this.exporting.value = null;
    this.problems.value = withProblem(this.problems.value, problem);
  }

  private receiveFrame(data: ArrayBuffer): void {
    const frame = readFrame(data);
    batch(() => {
      const { node, facts } = frame.head;
      if (node !== null) {
        const isNew = !this.measured.peek().has(node);
        this.learn(node, facts, isNew ? this.document.peek()?.points.map(({ target }) => target) : undefined);
      }
      this.onFrame(frame);
    });
  }
}
