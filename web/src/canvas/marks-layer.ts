/** Points and arrows over the picture, of the same size whatever the zoom. */

import { Konva } from "konva/lib/Global";
import { Layer } from "konva/lib/Layer";
import { Stage as KonvaStage } from "konva/lib/Stage";
import type { Gesture } from "./gestures";
import type { PointMark, PointNote, XY } from "./model";
import { type PointLook, PointNode } from "./point-node";
import { type Size, toScreen, type View } from "./viewport";

export interface Marks {
  /** As they look while a gesture goes on. */
  readonly points: readonly PointMark[];
  readonly pending: XY | null;
  readonly gesture: Gesture;
  /** Where the pending handle's target would be. */
  readonly pointer: XY | null;
  readonly selected: number | null;
  readonly tracked: readonly XY[] | null;
  readonly trails: readonly (readonly XY[])[];
  readonly notes: readonly PointNote[];
  /** Suggestions can be taken over. */
  readonly editable: boolean;
}

export class MarksLayer {
  readonly element = document.createElement("div");
  private readonly stage: KonvaStage;
  private readonly layer = new Layer({ listening: false });
  private readonly nodes: PointNode[] = [];

  constructor() {
    Konva.autoDrawEnabled = false;
    this.element.className = "canvas-sheet canvas-marks";
    this.stage = new KonvaStage({ container: this.element, width: 1, height: 1, listening: false });
    this.stage.add(this.layer);
  }

  resize(box: Size, ratio: number): void {
    this.layer.getCanvas().setPixelRatio(ratio);
    this.stage.size({ ...box });
  }

  draw(view: View, marks: Marks): void {
    const looks = looksOf(view, marks);
    while (this.nodes.length > looks.length) {
      this.nodes.pop()?.group.destroy();
    }
    looks.forEach((look, index) => {
      this.node(index).update(look);
    });
    if (marks.selected !== null) {
      this.nodes[marks.selected]?.group.moveToTop();
    }
    this.layer.drawScene();
  }

  clear(): void {
    for (const { group } of this.nodes.splice(0)) {
      group.destroy();
    }
    this.layer.drawScene();
  }

  destroy(): void {
    this.stage.destroy();
  }

  private node(index: number): PointNode {
    const known = this.nodes[index];
    if (known !== undefined) {
      return known;
    }
    const node = new PointNode();
    this.nodes.push(node);
    this.layer.add(node.group);
    return node;
  }
}

function looksOf(view: View, marks: Marks): PointLook[] {
  const looks = marks.points.map((mark, index) => lookOf(view, marks, mark, index));
  const draft = draftOf(marks);
  if (draft !== null) {
    looks.push({
      ...PLAIN,
      number: looks.length + 1,
      handle: toScreen(view, draft.handle),
      target: draft.target === null ? null : toScreen(view, draft.target),
      draft: true,
      selected: true,
    });
  }
  return looks;
}

const PLAIN = { locked: false, dot: null, moving: false, trail: [], weak: false, better: null } as const;

function lookOf(view: View, marks: Marks, mark: PointMark, index: number): PointLook {
  const tracked = marks.tracked?.[index] ?? null;
  const moving = tracked !== null && !marks.editable;
  const dot = moving ? mark.handle : tracked;
  const note = marks.notes.find(({ point }) => point === index);
  const better = marks.editable ? (note?.better ?? null) : null;
  return {
    number: index + 1,
    handle: toScreen(view, moving ? tracked : mark.handle),
    target: toScreen(view, mark.target),
    dot: dot === null ? null : toScreen(view, dot),
    moving,
    draft: false,
    locked: mark.locked,
    selected: index === marks.selected,
    trail: (marks.trails[index] ?? []).map((place) => toScreen(view, place)),
    weak: note !== undefined,
    better: better === null ? null : toScreen(view, better),
  };
}

function draftOf({ gesture, pending, pointer }: Marks): { handle: XY; target: XY | null } | null {
  if (gesture.kind === "pulling") {
    return gesture;
  }
  return pending === null ? null : { handle: pending, target: pointer };
}
