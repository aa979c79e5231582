/** The kinds of input that a person can give, each with its tool, its panel and its bar of options. */

import type { ComponentType } from "preact";
import type { Tool } from "../canvas/model";
import type { Document, EditInfo } from "../messages";
import { CropOptions, CropPanel } from "../ui/croppanel";
import { MaskOptions } from "../ui/maskoptions";
import { MaskPanel } from "../ui/maskpanel";
import { ModelPanel } from "../ui/modelpanel";
import { PartsOptions } from "../ui/partsoptions";
import { PartsPanel } from "../ui/partspanel";
import { PointsOptions } from "../ui/pointsoptions";
import { PointsPanel } from "../ui/pointspanel";
import { VectorsPanel } from "../ui/vectorspanel";

export type InputKind = EditInfo["inputs"][number];

export interface InputPart {
  readonly kind: InputKind;
  /** One word. */
  readonly title: string;
  /** What it is given with on the canvas, where it is given there. */
  readonly tool?: Tool;
  /** The document has some of it. */
  readonly given: (document: Document) => boolean;
  /** What the person should do when it is missing. */
  readonly wanted: string;
  /** In the side panel. */
  readonly Panel: ComponentType;
  /** In the bar over the canvas while the tool is held. */
  readonly Options?: ComponentType;
}

export const INPUTS: Partial<Record<InputKind, InputPart>> = {
  points: {
    kind: "points",
    title: "Points",
    tool: "point",
    given: ({ points }) => points.length > 0,
    wanted: "Click a point of the picture, then where it should go.",
    Panel: PointsPanel,
    Options: PointsOptions,
  },
  mask: {
    kind: "mask",
    title: "Region",
    tool: "brush",
    given: ({ mask }) => mask !== null,
    wanted: "Paint the region that may change.",
    Panel: MaskPanel,
    Options: MaskOptions,
  },
  parts: {
    kind: "parts",
    title: "Parts",
    tool: "parts",
    given: ({ parts }) => parts !== null,
    wanted: "Paint over some of the picture's parts.",
    Panel: PartsPanel,
    Options: PartsOptions,
  },
  vectors: {
    kind: "vectors",
    title: "Edits",
    given: ({ vectors }) => Object.values(vectors).some((strength) => strength !== 0),
    wanted: "Choose a learnt edit and say how much of it.",
    Panel: VectorsPanel,
  },
  model: {
    kind: "model",
    title: "Photo",
    given: ({ model }) => model !== null,
    wanted: "Choose the model that should make the photo.",
    Panel: ModelPanel,
  },
  crop: {
    kind: "crop",
    title: "Box",
    tool: "crop",
    given: ({ crop }) => crop !== null,
    wanted: "Choose a face of the photo, or draw a box.",
    Panel: CropPanel,
    Options: CropOptions,
  },
};
