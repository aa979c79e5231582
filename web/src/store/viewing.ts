/** Which frame is looked at, its pixels, and what it is compared with. Nothing here changes the document. */

import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Comparison, Shown } from "../canvas/model";
import type { NodeInfo, Place } from "../messages";
import { frameAddress, getNodeFacts } from "./api";
import { Drawn } from "./drawn";
import type { Frame } from "./frames";
import { samePlace } from "./reduce";
import type { Session } from "./session";
import { Stills } from "./stills";
import { lastStep } from "./tree";

interface Placed {
  readonly place: Place;
  readonly picture: Shown;
}

export class Viewing {
  /** A frame that the person chose to see; null follows the document and its run. */
  readonly looking: Signal<Place | null> = signal(null);
  private readonly live: Signal<Place | null> = signal(null);
  readonly place: ReadonlySignal<Place | null>;
  readonly node: ReadonlySignal<NodeInfo | null>;
  /** The frame at `place`. */
  private readonly frame: Signal<Shown | null> = signal(null);
  private readonly previewed: Signal<Shown | null> = signal(null);
  /** Whether frames of a preview are shown; those that come too late are not. */
  readonly takesPreviews: Signal<boolean> = signal(false);
  /** What is shown was made before the document's last change. */
  readonly previewOutdated: Signal<boolean> = signal(false);
  /** The preview in place of the frame, when it is shown. */
  readonly preview: ReadonlySignal<Shown | null>;
  readonly picture: ReadonlySignal<Shown | null>;
  /** Of a drawing, which may come in fewer pixels than it has; null for all else. */
  readonly extent: ReadonlySignal<Pick<Shown, "width" | "height"> | null>;

  /** The frame that the shown one is compared with; null stands for the start of its run. */
  readonly against: Signal<Place | null> = signal(null);
  readonly style: Signal<"slider" | "whole" | null> = signal(null);
  private readonly other: Signal<Placed | null> = signal(null);
  readonly comparison: ReadonlySignal<Comparison | null>;
  readonly drawn = new Drawn();

  private readonly stills = new Stills();
  private readonly asked = new Set<string>();
  private newest = -1;
  private readonly stopEffects: (() => void)[];

  constructor(private readonly session: Session) {
    this.place = computed(() => {
      const live = session.run.value === null ? null : this.live.value;
      return this.looking.value ?? live ?? session.document.value?.at ?? null;
    });
    this.node = computed(() => this.nodeOf(this.place.value));
    this.preview = computed(() =>
      this.takesPreviews.value && this.looking.value === null ? this.previewed.value : null,
    );
    this.picture = computed(() => this.preview.value ?? this.frame.value);
    this.extent = computed(() => {
      const node = this.node.value;
      return node?.kind === "vector" ? { width: node.size[0], height: node.size[1] } : null;
    });
    this.comparison = computed(() => {
      const style = this.style.value;
      const before = this.preview.value !== null && this.against.value === null;
      const other = before ? this.frame.value : (this.other.value?.picture ?? null);
      return style !== null && other !== null ? { other, style } : null;
    });
    session.onFrame = (frame) => void this.showFrame(frame);
    this.stopEffects = [
      effect(() => void this.loadPicture()),
      effect(() => void this.loadOther()),
      effect(() => void this.loadFacts()),
      effect(() => this.noticeNewRun()),
      effect(() => this.noticeNewConnection()),
      effect(() => {
        if (!this.takesPreviews.value) this.dropPreview();
      }),
    ];
  }

  dispose(): void {
    for (const stop of this.stopEffects) stop();
  }

  lookAt(place: Place): void {
    const following = samePlace(place, this.session.run.value ? this.live.value : this.documentPlace());
    this.looking.value = following ? null : place;
  }

  /** Show what the document and its run show. */
  follow(): void {
    this.looking.value = null;
  }

  /** Step through the frames of the shown node. */
  step(by: number): void {
    const [place, node] = [this.place.value, this.node.value];
    if (place === null || node === null) return;
    this.scrub(node, place.step + by);
  }

  /** Look at a step; of a run in progress, one that the server has stored already, or the newest. */
  scrub(node: NodeInfo, step: number): void {
    const last = this.lastStepOf(node);
    const newest = step >= last;
    const shown = newest ? last : Math.min(Math.max(step, 0), lastStep(node));
    if (newest || node.steps > 0) this.lookAt({ node: node.id, step: shown });
  }

  /** The last step of a node, also while it grows. */
  lastStepOf(node: NodeInfo): number {
    const live = this.live.value;
    return live?.node === node.id ? Math.max(live.step, lastStep(node)) : lastStep(node);
  }

  dropPreview(): void {
    this.previewed.value = null;
  }

  compareWith(place: Place | null): void {
    batch(() => {
      this.against.value = place;
      this.style.value = "slider";
    });
  }

  stopComparing(): void {
    batch(() => {
      this.against.value = null;
      this.style.value = null;
    });
  }

  /** A run's node is looked at before the server's tree has it. */
  private nodeOf(place: Place | null): NodeInfo | null {
    const found = this.session.nodes.value.find((each) => each.id === place?.node);
    return found ?? (place?.node === this.live.value?.node ? this.runningNode() : null);
  }

  private runningNode(): NodeInfo | null {
    const [run, at, live] = [this.session.run.value, this.documentPlace(), this.live.value];
    const parent = this.session.nodes.value.find(({ id }) => id === at?.node);
    if (run === null || live === null || parent === undefined) return null;
    const title = this.session.welcome.value?.edits.find(({ name }) => name === run.edit)?.title ?? run.edit;
    return { ...parent, id: live.node, parent: parent.id, edit: run.edit, steps: 0, title };
  }

  private documentPlace(): Place | null {
    return this.session.document.value?.at ?? null;
  }

  private noticeNewRun(): void {
    const waiting = this.session.run.value?.node === null;
    if (waiting) this.live.value = null;
  }

  /** Frames of a connection are counted from its beginning. */
  private noticeNewConnection(): void {
    if (this.session.welcome.value) this.newest = -1;
  }

  /** The first step of a preview is the picture as it is. */
  private async showFrame(frame: Frame): Promise<void> {
    const { node, step, number } = frame.head;
    const unseen = node === null ? !this.takesPreviews.peek() || step === 0 : this.looking.peek() !== null;
    if (unseen) {
      if (node !== null) this.live.value = { node, step };
      this.session.acknowledge(number);
      return;
    }
    const image = await createImageBitmap(frame.jpeg);
    const late = number <= this.newest;
    this.newest = Math.max(number, this.newest);
    const shown = node === null ? this.previewed : this.frame;
    const before = shown.peek()?.image;
    if (!late) {
      batch(() => {
        if (node === null) this.previewOutdated.value = false;
        else this.live.value = { node, step };
        shown.value = { image, width: image.width, height: image.height };
      });
    }
    requestAnimationFrame(() => {
      this.session.acknowledge(number);
      if (late) return image.close();
      this.drawn.record(frame.head.sent);
      this.forget(before);
    });
  }

  /** Frames of a run come many a second: their pixels are given back at once. */
  private forget(image: CanvasImageSource | undefined): void {
    if (image instanceof ImageBitmap && !this.stills.has(image)) image.close();
  }

  private async loadPicture(): Promise<void> {
    const place = this.place.value;
    const fromRun =
      this.looking.value === null && this.session.run.value !== null && this.live.value !== null;
    if (fromRun || this.session.id === "") return;
    if (place === null) {
      this.frame.value = null;
      return;
    }
    const loaded = await this.still(place);
    if (loaded && samePlace(place, this.place.peek())) this.frame.value = loaded;
  }

  private async loadOther(): Promise<void> {
    const shown = this.node.value;
    const place = this.against.value ?? (shown && { node: shown.id, step: 0 });
    if (this.style.value === null || place === null) return;
    if (samePlace(this.other.peek()?.place ?? null, place)) return;
    const picture = await this.still(place);
    if (picture) this.other.value = { place, picture };
  }

  private async still(place: Place): Promise<Shown | null> {
    try {
      return await this.stills.get(frameAddress(this.session.id, place));
    } catch (problem) {
      this.session.report("picture", (problem as Error).message);
      return null;
    }
  }

  private async loadFacts(): Promise<void> {
    const node = this.node.value;
    const running = node !== null && this.session.run.value?.node === node.id;
    if (node === null || node.edit === null || running || this.asked.has(node.id)) return;
    this.asked.add(node.id);
    try {
      const { facts, targets } = await getNodeFacts(this.session.id, node.id);
      this.session.learn(node.id, facts, targets);
    } catch {
      this.asked.delete(node.id);
    }
  }
}
