/** The parts of the document's picture: its own as the model's head sees them, and what the person painted over them. */

import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { sameIds, shares } from "../canvas/ids";
import type { PartsShown } from "../canvas/model";
import type { NodeParts, Place } from "../messages";
import type { Mode } from "../modes/mode";
import { getBytes, getNodeParts, paintedPartsAddress, partsAddress, uncertaintyAddress } from "./api";
import { asBase64 } from "./base64";
import { decodeGrey, encodeGrey, type GreyPicture } from "./partspng";
import { samePlace } from "./reduce";
import type { Session } from "./session";

/** After this many milliseconds without an answer the server's map is shown again. */
const PATIENCE = 3000;
const KEPT = 24;

const UNTAUGHT = "Teach the model its parts first.";

interface Known {
  readonly node: string;
  readonly parts: NodeParts;
}

interface Own {
  readonly place: Place;
  readonly head: string | null;
  readonly picture: GreyPicture;
}

/** What the person painted: the map that the server has under this hash, or one that it does not have yet. */
interface Painted {
  readonly hash: string | null;
  readonly ids: Uint8Array;
}

export class Parts {
  readonly dispose: () => void;
  /** What is known of the parts of the document's picture; null until the server has said so. */
  readonly known: ReadonlySignal<NodeParts | null>;
  readonly shown: ReadonlySignal<PartsShown | null>;
  /** Why nothing can be made of what is painted; null when something can. */
  readonly obstacle: ReadonlySignal<string | null>;
  readonly isPainted: ReadonlySignal<boolean>;
  /** Share of the picture that each part has, by id. */
  readonly shares: ReadonlySignal<readonly number[]>;
  /** The person wants to see how unsure the parts are. */
  readonly showsUnsure: Signal<boolean> = signal(false);
  readonly unsure: ReadonlySignal<Uint8Array | null>;

  private readonly node: Signal<Known | null> = signal(null);
  private readonly own: Signal<Own | null> = signal(null);
  private readonly painted: Signal<Painted | null> = signal(null);
  private readonly doubt: Signal<Own | null> = signal(null);
  /** The document's place while its parts are worked on. */
  private readonly place: ReadonlySignal<Place | null>;
  /** Maps that were sent and that no state has shown yet. */
  private readonly unanswered = signal(0);
  private readonly maps = new Map<string, Promise<GreyPicture>>();
  private sending: Promise<void> = Promise.resolve();
  private taken: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly session: Session,
    mode: ReadonlySignal<Mode | null>,
  ) {
    let last: Place | null = null;
    this.place = computed(() => {
      const at = session.document.value?.at ?? null;
      const kind = session.nodes.value.find(({ id }) => id === at?.node)?.kind;
      const edit = mode.value?.edit;
      const place = edit?.inputs.includes("parts") && kind && edit.pictures.includes(kind) ? at : null;
      if (!samePlace(last, place)) last = place;
      return last;
    });
    const node = computed(() => this.place.value?.node ?? null);
    const classes = computed(() => JSON.stringify(session.state.value?.labelling.classes ?? []));
    const refused = computed(() => session.problems.value.some(({ about }) => about === "parts"));
    this.known = computed(() => {
      const node = this.node.value;
      return node !== null && node.node === this.place.value?.node ? node.parts : null;
    });
    this.shown = computed(() => this.shownNow());
    this.obstacle = computed(() => (this.known.value?.head === null ? UNTAUGHT : null));
    this.isPainted = computed(() => this.painted.value !== null);
    this.shares = computed(() => {
      const shown = this.shown.value;
      return shown === null ? [] : shares(shown.painted, shown.classes.length);
    });
    this.unsure = computed(() =>
      this.showsUnsure.value && this.isCurrent(this.doubt.value) ? this.doubt.value.picture.values : null,
    );
    const stops = [
      effect(() => {
        // anew whenever the person has named parts or trained a head
        [classes.value, session.trained.value];
        void this.learn(node.value);
      }),
      effect(() => void this.loadOwn()),
      effect(() => void this.loadUnsure()),
      effect(() => this.takeState()),
      // what was sent before does not count when the server refused it, or the person goes elsewhere in time
      effect(() => {
        if (refused.value || session.travels.value > 0) this.unanswered.value = 0;
      }),
    ];
    this.dispose = () => {
      for (const stop of stops) stop();
      clearTimeout(this.timer);
    };
  }

  /** A stroke or a fill is finished; a map that is the picture's own again takes the painting away. */
  change(ids: Uint8Array, label: string): void {
    const shown = this.shown.peek();
    if (shown === null) return;
    const cleared = sameIds(ids, shown.own);
    this.painted.value = cleared ? null : { hash: null, ids };
    this.unanswered.value += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.unanswered.value = 0;
    }, PATIENCE);
    const { width, height } = shown;
    const picture = { width, height, values: ids };
    this.sending = this.sending.then(async () => {
      const parts = cleared ? { clear_parts: true } : { parts: asBase64(await encodeGrey(picture)) };
      this.session.change({ label, ...parts });
    });
  }

  reset(): void {
    const shown = this.shown.peek();
    if (shown !== null && this.isPainted.peek()) this.change(shown.own, "Reset parts");
  }

  private shownNow(): PartsShown | null {
    const [own, known] = [this.own.value, this.known.value];
    if (known === null || known.classes.length === 0 || !this.isCurrent(own)) return null;
    const { width, height, values } = own.picture;
    const painted = this.painted.value?.ids ?? values;
    const fits = painted.length === values.length;
    return { width, height, own: values, painted: fits ? painted : values, classes: known.classes };
  }

  /** It was made for the frame and by the head that count now. */
  private isCurrent(own: Own | null): own is Own {
    return own !== null && samePlace(own.place, this.place.value) && own.head === this.known.value?.head;
  }

  private async learn(node: string | null): Promise<void> {
    if (node === null) return;
    const parts = await this.asked(getNodeParts(this.session.id, node));
    if (parts !== null && node === this.place.peek()?.node) this.node.value = { node, parts };
  }

  private async loadOwn(): Promise<void> {
    const [place, known] = [this.place.value, this.known.value];
    if (place === null || known === null || this.isCurrent(this.own.peek())) return;
    const { head } = known;
    const picture =
      head === null
        ? this.unlabelled(place)
        : await this.asked(this.map(partsAddress(this.session.id, place, head)));
    if (picture !== null && samePlace(place, this.place.peek())) this.own.value = { place, head, picture };
  }

  /** Of a model without a head: all of it is the first part. */
  private unlabelled(place: Place): GreyPicture | null {
    const size = this.session.nodes.peek().find(({ id }) => id === place.node)?.size;
    return size ? { width: size[0], height: size[1], values: new Uint8Array(size[0] * size[1]) } : null;
  }

  private async loadUnsure(): Promise<void> {
    const [place, known] = [this.place.value, this.known.value];
    if (!this.showsUnsure.value || place === null || known === null || known.head === null) return;
    if (!known.uncertainty || this.isCurrent(this.doubt.peek())) return;
    const { head } = known;
    const picture = await this.asked(this.map(uncertaintyAddress(this.session.id, place, head)));
    if (picture !== null) this.doubt.value = { place, head, picture };
  }

  private takeState(): void {
    const hash = this.session.state.value?.document.parts ?? null;
    if (hash !== this.taken) {
      this.taken = hash;
      this.unanswered.value = Math.max(0, this.unanswered.peek() - 1);
    }
    if (this.unanswered.value === 0) void this.loadPainted(hash);
  }

  private async loadPainted(hash: string | null): Promise<void> {
    if (hash === null) {
      this.painted.value = null;
      return;
    }
    if (this.painted.peek()?.hash === hash || this.session.id === "") return;
    const picture = await this.asked(this.map(paintedPartsAddress(this.session.id, hash)));
    if (picture === null || this.taken !== hash || this.unanswered.peek() > 0) return;
    const before = this.painted.peek()?.ids;
    const ids = before && sameIds(before, picture.values) ? before : picture.values;
    this.painted.value = { hash, ids };
  }

  private map(address: string): Promise<GreyPicture> {
    const found = this.maps.get(address) ?? getBytes(address).then(decodeGrey);
    this.maps.delete(address);
    this.maps.set(address, found);
    found.catch(() => this.maps.delete(address));
    const oldest = this.maps.keys().next().value;
    if (this.maps.size > KEPT && oldest !== undefined) this.maps.delete(oldest);
    return found;
  }

  private async asked<T>(answer: Promise<T>): Promise<T | null> {
    try {
      return await answer;
    } catch (problem) {
      this.session.report("parts", (problem as Error).message);
      return null;
    }
  }
}
