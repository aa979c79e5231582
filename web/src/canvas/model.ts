/** What the canvas shows and what it tells: the only thing that `canvas/` and the rest of the page share. */

import type { ReadonlySignal, Signal } from "@preact/signals";
import type { Placing } from "./placing";
import type { Selection } from "./selection";
import type { Joining } from "./things-gestures";

/** x to the right, y down, in pixels of the picture; (0, 0) is the centre of its first pixel. */
export type XY = readonly [number, number];

export interface PointMark {
  readonly handle: XY;
  readonly target: XY;
  readonly locked: boolean;
}

/** Decoded pixels with their size. */
export interface Shown {
  readonly image: CanvasImageSource;
  readonly width: number;
  readonly height: number;
}

export type Tool = "things" | "point" | "brush" | "parts" | "crop" | "box" | "pan";

export interface Brush {
  /** Diameter in pixels of the picture. */
  readonly size: number;
  /** What a stroke marks; with `erase` it marks the opposite. */
  readonly paint: "change" | "stay";
  readonly erase: boolean;
}

/** Where the picture may change: grey picture, white = may change; blurred by `feather` pixels when it is used. */
export interface MaskShown {
  readonly image: CanvasImageSource;
  readonly feather: number;
}

/** Left, top, width and height in pixels of the photo, measured from its top left edge. */
export type CropBox = readonly [number, number, number, number];

/** Which part of a photo the model should make. */
export interface CropShown {
  /** Corners of the crop of each face that was found, clockwise from the face's top left. */
  readonly faces: readonly (readonly XY[])[];
  /** Number of the chosen face, from 0. */
  readonly face: number | null;
  readonly box: CropBox | null;
}

/** A box with words of its own, or one that is traced by itself. */
export interface BoxMark {
  readonly box: CropBox;
  readonly number: number;
  /** As CSS writes it. */
  readonly colour: string;
  readonly text: string;
}

/** What the tool for things does with the pointer where it meets none of them. */
export type ThingAction = "move" | "click" | "box" | "lasso" | "brush";

export interface ThingMark {
  readonly selection: Selection;
  readonly placing: Placing;
}

/** What was selected, and where it goes. */
export interface ThingsShown {
  readonly all: readonly ThingMark[];
  /** They may go elsewhere. */
  readonly movable: boolean;
  /** More can be selected. */
  readonly selects: boolean;
  /** They are those of another picture. */
  readonly foreign: boolean;
  /** The picture that they are cut out of, and the one without them; null before they came. */
  readonly source: Shown | null;
  readonly behind: Shown | null;
  /** The picture does not show where they go yet. */
  readonly stale: boolean;
}

/** What the parts tool does with the pointer. */
export type PartsAction = "paint" | "fill" | "pick" | "erase";

/** Which part each pixel belongs to: ids, row by row. */
export interface PartsShown {
  readonly width: number;
  readonly height: number;
  /** Those of the picture itself. */
  readonly own: Uint8Array;
  /** As the person painted them; the picture's own where nothing was painted. */
  readonly painted: Uint8Array;
  /** By id; channels from 0 to 255. */
  readonly classes: readonly {
    readonly name: string;
    readonly colour: readonly [number, number, number];
  }[];
}

/** Another picture to compare with: beside it at a slider, or in its place while a key is held. */
export interface Comparison {
  readonly other: Shown;
  readonly style: "slider" | "whole";
}

export interface PointNote {
  /** Number of the point, from 0. */
  readonly point: number;
  readonly sentence: string;
  /** The nearest place that makes a better handle. */
  readonly better: XY | null;
}

export interface CanvasModel {
  readonly picture: ReadonlySignal<Shown | null>;
  /** Of what is shown, in its own pixels, where those that came are fewer; null where they are all. */
  readonly extent: ReadonlySignal<Pick<Shown, "width" | "height"> | null>;
  /** The same without pixels, sharp at every zoom; null while there is none. */
  readonly sharp: ReadonlySignal<Shown | null>;
  /** The picture shows what the edit would make. */
  readonly isPreview: ReadonlySignal<boolean>;
  readonly comparison: ReadonlySignal<Comparison | null>;
  /** Place of the slider, 0 (left) to 1. */
  readonly split: Signal<number>;
  readonly tool: Signal<Tool>;
  /** Points and mask may be changed now. */
  readonly editable: ReadonlySignal<boolean>;

  readonly points: ReadonlySignal<readonly PointMark[]>;
  readonly pointsVisible: ReadonlySignal<boolean>;
  /** Number of the selected point; Delete removes it, L locks it, arrow keys move its target. */
  readonly selected: Signal<number | null>;
  /** A handle was placed and its target comes next. */
  readonly pending: Signal<XY | null>;
  /** Where the handles are on the frame that is shown, when that is a frame of a run; else null. */
  readonly tracked: ReadonlySignal<readonly XY[] | null>;
  /** The ways that the handles went up to that frame. */
  readonly trails: ReadonlySignal<readonly (readonly XY[])[]>;
  readonly notes: ReadonlySignal<readonly PointNote[]>;

  readonly mask: ReadonlySignal<MaskShown | null>;
  readonly maskVisible: ReadonlySignal<boolean>;
  readonly brush: Signal<Brush>;

  /** Null where there is nothing to crop. */
  readonly crop: ReadonlySignal<CropShown | null>;

  /** Null where the mode takes none. */
  readonly boxes: ReadonlySignal<readonly BoxMark[] | null>;
  /** Place of the selected box among them; Delete removes it, arrow keys move it, with Shift they resize it. */
  readonly box: Signal<number | null>;
  /** Colour of the next box. */
  readonly nextColour: ReadonlySignal<string>;

  /** Null where the mode takes none. */
  readonly things: ReadonlySignal<ThingsShown | null>;
  /** Number of the chosen thing, from 0. */
  readonly thing: Signal<number | null>;
  readonly thingAction: Signal<ThingAction>;

  readonly parts: ReadonlySignal<PartsShown | null>;
  readonly partsVisible: ReadonlySignal<boolean>;
  /** Of what was painted, 0 to 1; the picture's own parts are shown weaker. */
  readonly partsOpacity: ReadonlySignal<number>;
  /** How unsure the picture's own parts are, 0 to 255 for each pixel; shown in place of the colours. */
  readonly unsure: ReadonlySignal<Uint8Array | null>;
  readonly partsAction: Signal<PartsAction>;
  /** Diameter of the brush that paints parts, in pixels of the picture. */
  readonly partsSize: ReadonlySignal<number>;
  /** Id of the part that is painted with. */
  readonly part: Signal<number>;

  readonly grid: ReadonlySignal<boolean>;
  /** Screen pixels per picture pixel; written by the canvas. */
  readonly zoom: Signal<number>;
  /** Where the pointer is, for the status line; written by the canvas. */
  readonly pointer: Signal<XY | null>;
  readonly reducedMotion: ReadonlySignal<boolean>;
  readonly dark: ReadonlySignal<boolean>;

  /** A gesture on the points is finished. */
  changePoints(points: readonly PointMark[], label: string): void;
  /** A stroke, an inversion: the mask as a grey PNG; null removes it. */
  changeMask(png: Blob | null, label: string): void;
  /** A stroke or a fill: the whole map. */
  changeParts(ids: Uint8Array, label: string): void;
  /** A face was chosen, or a box drawn. */
  changeCrop(crop: { readonly face: number } | { readonly box: CropBox }, label: string): void;
  /** A box was moved or resized; without an index it is a new one. */
  changeBox(index: number | null, box: CropBox): void;
  /** A thing was moved, resized or turned. */
  placeThing(index: number, placing: Placing, label: string): void;
  /** Something was selected. */
  select(selection: Selection, joining: Joining): void;
  selectAt(at: XY, joining: Joining): void;
  selectBox(from: XY, to: XY, joining: Joining): void;
}
