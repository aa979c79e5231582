/** The kinds of input that a person can give, each with its tool, its panel and its bar of options. */

import type { ComponentType } from "preact";
import type { Tool } from "../canvas/model";
import type { Document, EditInfo } from "../messages";
import { MaskOptions } from "../ui/maskoptions";
import { MaskPanel } from "../ui/maskpanel";
import { PointsOptions } from "../ui/pointsoptions";
import { PointsPanel } from "../ui/pointspanel";

export type InputKind = EditInfo["inputs"][number];

export interface InputPart {
  readonly kind: InputKind;
  readonly tool: Tool;
  /** The document has some of it. */
  readonly given: (document: Document) => boolean;
  /** What the person should do when it is missing. */
  readonly wanted: string;
  /** In the side panel. */
  readonly Panel: ComponentType;
  /** In the bar over the canvas while the tool is held. */
  readonly Options: ComponentType;
}

export const INPUTS: Partial<Record<InputKind, InputPart>> = {
  points: {
    kind: "points",
    tool: "point",
    given: ({ points }) => points.length > 0,
    wanted: "Click a point of the picture, then where it should go.",
    Panel: PointsPanel,
    Options: PointsOptions,
  },
  mask: {
    kind: "mask",
    tool: "brush",
    given: ({ mask }) => mask !== null,
    wanted: "Paint the region that may change.",
    Panel: MaskPanel,
    Options: MaskOptions,
  },
};
