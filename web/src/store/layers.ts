/** The layers of the drawing at hand: what it consists of, fetched when it is needed, and what is changed of it. */

import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Drawing, LayerChanges, LayerPath, Place } from "../messages";
import type { Mode } from "../modes/mode";
import { getLayers, getPaths } from "./api";
import { type Item, NO_CHANGES, type Property, recoloured, type Share, share, turned } from "./layerchanges";
import type { Session } from "./session";

interface Found {
  readonly key: string;
  readonly drawing: Drawing;
}

export interface Listed {
  readonly paths: readonly LayerPath[];
  readonly total: number;
}

export class Layers {
  readonly dispose: () => void;
  /** Null where there is none, or it is still fetched. */
  readonly drawing: ReadonlySignal<Drawing | null>;
  readonly changes: ReadonlySignal<LayerChanges>;
  /** Changes while a colour is being chosen, before that becomes a change of the document; else null. */
  readonly moving: Signal<LayerChanges | null> = signal(null);
  /** Groups whose paths are listed. */
  readonly open: Signal<ReadonlySet<number>> = signal(new Set());
  private readonly found: Signal<Found | null> = signal(null);
  /** By number of the group, of the present drawing. */
  private readonly paths: Signal<ReadonlyMap<number, Listed>> = signal(new Map());
  private readonly place: ReadonlySignal<Place | null>;

  constructor(
    private readonly session: Session,
    mode: ReadonlySignal<Mode | null>,
    private readonly editable: ReadonlySignal<boolean>,
  ) {
    const { document, nodes } = session;
    this.place = computed(() => {
      const at = document.value?.at ?? null;
      const isDrawing = nodes.value.find(({ id }) => id === at?.node)?.kind === "vector";
      return isDrawing && mode.value?.edit.inputs.includes("layers") ? at : null;
    });
    const key = computed(() => keyOf(this.place.value));
    this.drawing = computed(() => (this.found.value?.key === key.value ? this.found.value.drawing : null));
    this.changes = computed(() => this.moving.value ?? document.value?.layers ?? NO_CHANGES);
    this.dispose = effect(() => {
      if (key.value !== "") void this.fetch(key.value);
    });
  }

  listed(group: number): Listed | null {
    return this.paths.value.get(group) ?? null;
  }

  toggleOpen(group: number): void {
    const open = new Set(this.open.peek());
    if (!open.delete(group)) open.add(group);
    this.open.value = open;
    if (open.has(group) && this.listed(group) === null) void this.fetchPaths(group);
  }

  /** More of the paths of a group. */
  async fetchPaths(group: number): Promise<void> {
    const place = this.place.peek();
    if (place === null) return;
    const known = this.paths.peek().get(group)?.paths ?? [];
    const [key, more] = [
      keyOf(place),
      await this.asked(() => getPaths(this.session.id, place, group, known.length)),
    ];
    if (more === null || key !== keyOf(this.place.peek())) return;
    this.paths.value = new Map(this.paths.peek()).set(group, {
      paths: [...known, ...more.paths],
      total: more.total,
    });
  }

  share(item: Item, property: Property): Share {
    return share(this.changes.value, item, property);
  }

  canTurn(item: Item, property: Property): boolean {
    return this.editable.value && turned(this.changes.value, item, property) !== null;
  }

  turn(item: Item, property: Property): void {
    const wasSo = this.share(item, property) === "all";
    const next = turned(this.changes.peek(), item, property);
    if (next === null) return;
    const label = property === "hidden" ? (wasSo ? "Show" : "Hide") : wasSo ? "Unlock" : "Lock";
    this.change(next, label);
  }

  colourOf(number: number, old: string): string {
    return this.changes.value.swatches[number] ?? old;
  }

  /** While the person is still choosing. */
  moveColour(number: number, old: string, colour: string): void {
    const document = this.session.document.peek()?.layers ?? NO_CHANGES;
    if (this.editable.peek()) this.moving.value = recoloured(document, number, old, colour);
  }

  recolour(number: number, old: string, colour: string): void {
    const document = this.session.document.peek()?.layers ?? NO_CHANGES;
    const next = recoloured(document, number, old, colour);
    if (JSON.stringify(next) === JSON.stringify(document)) this.moving.value = null;
    else this.change(next, "Recolour");
  }

  clear(): void {
    this.change(NO_CHANGES, "Leave layers as they were");
  }

  private change(layers: LayerChanges, label: string): void {
    this.moving.value = null;
    if (!this.editable.peek()) return;
    this.session.dismiss("layers");
    this.session.change({ label, layers });
  }

  private async fetch(key: string): Promise<void> {
    const place = this.place.peek();
    if (place === null || this.found.peek()?.key === key) return;
    const drawing = await this.asked(() => getLayers(this.session.id, place));
    if (drawing === null || key !== keyOf(this.place.peek())) return;
    this.found.value = { key, drawing };
    this.paths.value = new Map();
    for (const group of this.open.peek()) void this.fetchPaths(group);
  }

  private async asked<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (problem) {
      this.session.report("layers", (problem as Error).message);
      return null;
    }
  }
}

function keyOf(place: Place | null): string {
  return place === null ? "" : `${place.node}/${place.step}`;
}
