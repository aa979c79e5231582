import { expect, test } from "vitest";
import { type Action, onAxis, PointGestures, type Press, preview, type Scene } from "./gestures";
import type { PointMark, XY } from "./model";

/** A picture of 100 x 100 at 10 screen pixels each, its corner at the host's: (x, y) is seen at (10 x + 5, 10 y + 5). */
const VIEW = { scale: 10, x: 0, y: 0 };

function mark(handle: XY, target: XY): PointMark {
  return { handle, target, locked: false };
}

/** The tool with a document that its actions change, as the page does. */
class Table {
  readonly actions: Action[] = [];
  scene: Scene;
  private readonly tool = new PointGestures((action) => this.apply(action));
  private clock = 0;

  constructor(...points: PointMark[]) {
    this.scene = {
      view: VIEW,
      picture: { width: 100, height: 100 },
      points,
      pending: null,
      selected: null,
      better: [],
      editable: true,
    };
  }

  get gesture() {
    return this.tool.gesture;
  }

  get labels(): string[] {
    return this.actions.flatMap((action) => (action.do === "change" ? [action.label] : []));
  }

  down(place: XY, more: Partial<Press> = {}): boolean {
    return this.tool.down(this.press(place, more), this.scene);
  }

  move(place: XY, more: Partial<Press> = {}): void {
    this.tool.move(this.press(place, more), this.scene);
  }

  up(place: XY, more: Partial<Press> = {}): void {
    this.tool.up(this.press(place, more), this.scene);
  }

  click(place: XY, more: Partial<Press> = {}): void {
    this.down(place, more);
    this.up(place, more);
  }

  drag(from: XY, to: XY, more: Partial<Press> = {}): void {
    this.down(from);
    this.move(to, more);
    this.up(to, more);
  }

  wait(): void {
    this.clock += 1000;
  }

  cancel(): boolean {
    return this.tool.cancel(this.scene);
  }

  drop(): void {
    this.tool.drop();
  }

  private press([x, y]: XY, more: Partial<Press>): Press {
    this.clock += 10;
    const rest = { pointer: "mouse", pressure: 0.5, second: false, shift: false, alt: false } as const;
    return { at: [10 * x + 5, 10 * y + 5], time: this.clock, ...rest, ...more };
  }

  private apply(action: Action): void {
    this.actions.push(action);
    if (action.do === "change") {
      this.scene = { ...this.scene, points: action.points };
    } else if (action.do === "pend") {
      this.scene = { ...this.scene, pending: action.place };
    } else if (action.do === "select") {
      this.scene = { ...this.scene, selected: action.point };
    }
  }
}

test("a click and a click make a point, which is selected", () => {
  const table = new Table();
  table.click([10, 20]);
  expect(table.scene.pending).toEqual([10, 20]);
  expect(table.scene.points).toEqual([]);
  table.wait();
  table.click([30, 40]);
  expect(table.scene.points).toEqual([mark([10, 20], [30, 40])]);
  expect(table.scene.pending).toBeNull();
  expect(table.scene.selected).toBe(0);
  expect(table.labels).toEqual(["Add point"]);
});

test("press, pull and release make a point in one gesture", () => {
  const table = new Table();
  table.drag([10, 20], [30, 40]);
  expect(table.scene.points).toEqual([mark([10, 20], [30, 40])]);
});

test("with a handle waiting, pulling places its target", () => {
  const table = new Table();
  table.click([10, 20]);
  table.drag([50, 50], [60, 61]);
  expect(table.scene.points).toEqual([mark([10, 20], [60, 61])]);
});

test("either end moves, by its grip and not by its centre", () => {
  const table = new Table(mark([10, 10], [50, 50]));
  table.drag([10.5, 10], [20.5, 12]);
  expect(table.scene.points).toEqual([mark([20, 12], [50, 50])]);
  table.drag([50, 50], [60, 55]);
  expect(table.scene.points).toEqual([mark([20, 12], [60, 55])]);
  expect(table.labels).toEqual(["Move handle", "Move target"]);
});

test("while it moves, the point is shown where it will be, and nothing is told", () => {
  const table = new Table(mark([10, 10], [50, 50]));
  table.down([50, 50]);
  table.move([70, 50]);
  expect(preview(table.scene.points, table.gesture)).toEqual([mark([10, 10], [70, 50])]);
  expect(table.labels).toEqual([]);
  table.drop();
  expect(preview(table.scene.points, table.gesture)).toEqual([mark([10, 10], [50, 50])]);
  table.up([70, 50]);
  expect(table.labels).toEqual([]);
});

test("ends stay inside the picture", () => {
  const table = new Table(mark([10, 10], [50, 50]));
  table.drag([50, 50], [500, -20]);
  expect(table.scene.points).toEqual([mark([10, 10], [99, 0])]);
});

test("shift keeps the arrow level or upright", () => {
  expect(onAxis([30, 12], [10, 10])).toEqual([30, 10]);
  expect(onAxis([12, 30], [10, 10])).toEqual([10, 30]);
  const table = new Table();
  table.drag([10, 10], [40, 15], { shift: true });
  expect(table.scene.points).toEqual([mark([10, 10], [40, 10])]);
});

test("a press of the mouse that trembles is a click", () => {
  const table = new Table(mark([10, 10], [50, 50]));
  table.drag([10, 10], [10.2, 10.2]);
  expect(table.labels).toEqual([]);
  expect(table.scene.selected).toBe(0);
});

test("Alt-click deletes, and so does a double click", () => {
  const table = new Table(mark([10, 10], [20, 20]), mark([50, 50], [60, 60]));
  table.click([10, 10], { alt: true });
  expect(table.scene.points).toEqual([mark([50, 50], [60, 60])]);
  table.wait();
  table.click([60, 60]);
  table.click([60, 60]);
  expect(table.scene.points).toEqual([]);
  expect(table.labels).toEqual(["Delete point", "Delete point"]);
});

test("a hasty second click on a target just placed does not delete it", () => {
  const table = new Table();
  table.click([10, 10]);
  table.wait();
  table.click([40, 40]);
  table.click([40, 40]);
  expect(table.scene.points).toEqual([mark([10, 10], [40, 40])]);
});

test("two slow clicks on a point select it and no more", () => {
  const table = new Table(mark([10, 10], [20, 20]));
  table.click([10, 10]);
  table.wait();
  table.click([10, 10]);
  expect(table.labels).toEqual([]);
});

test("a double click on nothing fits and leaves no handle behind", () => {
  const table = new Table();
  table.click([10, 10]);
  table.click([10, 10]);
  expect(table.scene.pending).toBeNull();
  expect(table.actions.at(-1)).toEqual({ do: "fit" });
});

test("the second button selects and does nothing else", () => {
  const table = new Table(mark([10, 10], [20, 20]));
  expect(table.down([20, 20], { second: true })).toBe(true);
  table.move([30, 30]);
  table.up([30, 30]);
  expect(table.scene.selected).toBe(0);
  expect(table.labels).toEqual([]);
  table.down([70, 70], { second: true });
  expect(table.scene.pending).toBeNull();
});

test("what may not be edited can be selected; the press is left to panning", () => {
  const table = new Table(mark([10, 10], [20, 20]));
  table.scene = { ...table.scene, editable: false };
  expect(table.down([10, 10])).toBe(false);
  expect(table.scene.selected).toBe(0);
  expect(table.down([70, 70])).toBe(false);
});

test("a press outside the picture is left to panning", () => {
  expect(new Table().down([-3, 10])).toBe(false);
});

test("Escape takes back the handle that waits", () => {
  const table = new Table();
  table.click([10, 10]);
  expect(table.cancel()).toBe(true);
  expect(table.scene.pending).toBeNull();
  expect(table.cancel()).toBe(false);
});

test("a click on the better place moves the handle there", () => {
  const table = new Table(mark([10, 10], [50, 50]));
  table.scene = { ...table.scene, better: [{ point: 0, place: [14, 10] }] };
  table.click([14, 10]);
  expect(table.scene.points).toEqual([mark([14, 10], [50, 50])]);
  expect(table.labels).toEqual(["Better handle"]);
});

test("a finger reaches further than a mouse", () => {
  const table = new Table(mark([10, 10], [50, 50]));
  expect(table.down([12, 10], { pointer: "touch" })).toBe(true);
  table.up([12, 10], { pointer: "touch" });
  expect(table.scene.pending).toBeNull();
  table.click([12, 10]);
  expect(table.scene.pending).toEqual([12, 10]);
});

test("of two ends at one place the selected point's is taken", () => {
  const table = new Table(mark([10, 10], [50, 50]), mark([80, 80], [50, 50]));
  table.scene = { ...table.scene, selected: 0 };
  table.drag([50, 50], [50, 60]);
  expect(table.scene.points[0]).toEqual(mark([10, 10], [50, 60]));
});
