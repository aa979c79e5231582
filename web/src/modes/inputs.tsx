/** The kinds of input that a person can give, each with its tool, its panel and its bar of options. */

import type { ComponentType } from "preact";
import type { Tool } from "../canvas/model";
import type { Document, EditInfo } from "../messages";
import { isUnchanged } from "../store/layerchanges";
import { PASTE } from "../store/reduce";
import { GROUP, hasMoved } from "../store/things";
import { BoxesPanel } from "../ui/boxespanel";
import { BoxOptions } from "../ui/boxoptions";
import { CropOptions, CropPanel } from "../ui/croppanel";
import { LayersPanel } from "../ui/layerspanel";
import { MaskOptions } from "../ui/maskoptions";
import { MaskPanel } from "../ui/maskpanel";
import { ModelPanel } from "../ui/modelpanel";
import { OtherPanel } from "../ui/otherpanel";
import { PartsOptions } from "../ui/partsoptions";
import { PartsPanel } from "../ui/partspanel";
import { PointsOptions } from "../ui/pointsoptions";
import { PointsPanel } from "../ui/pointspanel";
import { DiffuserPanel, PromptPanel } from "../ui/promptpanel";
import { PromptsPanel } from "../ui/promptspanel";
import { ThingsOptions } from "../ui/thingsoptions";
import { ThingsPanel } from "../ui/thingspanel";
import { VectorsPanel } from "../ui/vectorspanel";
import { WordsPanel } from "../ui/wordspanel";

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

export const INPUTS: Record<InputKind, InputPart> = {
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
  boxes: {
    kind: "boxes",
    title: "Boxes",
    tool: "box",
    given: ({ boxes }) => boxes.length > 0,
    wanted: "Draw a box around what should be traced in more detail.",
    Panel: BoxesPanel,
    Options: BoxOptions,
  },
  prompts: {
    kind: "prompts",
    title: "Words",
    tool: "box",
    given: ({ prompts }) => prompts.length > 0,
    wanted: "Say what the drawing should become.",
    Panel: PromptsPanel,
    Options: BoxOptions,
  },
  words: {
    kind: "words",
    title: "Model",
    given: ({ words }) => words !== null,
    wanted: "Choose the model that reads the words.",
    Panel: WordsPanel,
  },
  layers: {
    kind: "layers",
    title: "Layers",
    given: ({ layers }) => !isUnchanged(layers),
    wanted: "Hide, lock or recolour something.",
    Panel: LayersPanel,
  },
  things: {
    kind: "things",
    title: "Things",
    tool: "things",
    given: (document) => (document.edit === PASTE ? document.things.length > 0 : hasMoved(document)),
    wanted: "Pull a thing elsewhere.",
    Panel: ThingsPanel,
    Options: ThingsOptions,
  },
  other: {
    kind: "other",
    title: "Other",
    given: ({ other }) => other !== null,
    wanted: "Copy something first.",
    Panel: OtherPanel,
  },
  prompt: {
    kind: "prompt",
    title: "Words",
    given: ({ prompt }) => prompt !== "",
    wanted: "Say what the picture shows.",
    Panel: PromptPanel,
  },
  diffuser: {
    kind: "diffuser",
    title: "Model",
    given: ({ diffuser }) => diffuser !== null,
    wanted: "Choose the model.",
    Panel: DiffuserPanel,
  },
};

/** In place of a region that is painted: what was selected. */
const SELECTED: InputPart = {
  ...INPUTS.things,
  kind: "mask",
  given: ({ things }) => things.length > 0,
  wanted: "Select a thing first.",
};

/** How an edit takes an input. */
export function inputOf(edit: EditInfo, kind: InputKind): InputPart {
  if (edit.group !== GROUP || kind !== "mask") return INPUTS[kind];
  if (!edit.inputs.includes("points")) return SELECTED;
  return { ...INPUTS.mask, given: ({ mask, things }) => mask !== null || things.length > 0 };
}
