/** What the server might say, for tests. */

import type { Document, NodeInfo, RunInfo, State, StepFacts } from "../messages";

export const NODE: NodeInfo = {
  id: "a".repeat(16),
  parent: null,
  from_step: null,
  kind: "latent",
  edit: null,
  steps: 1,
  title: "Seed 3",
  size: [8, 8],
  created: "",
  photo: false,
  model: "tiny",
};

export const DOCUMENT: Document = {
  edit: "drag",
  at: { node: NODE.id, step: 0 },
  points: [],
  mask: null,
  parts: null,
  vectors: {},
  model: null,
  crop: null,
  prompts: [],
  words: null,
  layers: { hidden: [], shown: [], locked: [], unlocked: [], swatches: {} },
  boxes: [],
  things: [],
  other: null,
  prompt: "",
  diffuser: null,
  candidates: [],
  settings: {},
};

export const RUN: RunInfo = {
  node: NODE.id,
  edit: "drag",
  preview: false,
  state: "running",
  candidate: 1,
  candidates: 1,
  position: 0,
  step: 1,
  max_steps: 300,
  seconds_left: null,
};

export function stateWith(part: Partial<State> = {}): State {
  return {
    type: "state",
    document: DOCUMENT,
    nodes: [],
    undo: null,
    redo: null,
    run: null,
    labelling: { classes: [], labels: [], training: null },
    saved: true,
    ...part,
  };
}

export function factsWith(part: Partial<StepFacts>): StepFacts {
  const nothing = { loss: null, strain: null, agreement: null, psnr: null, energy: null, stage: null };
  return { step: 0, handles: [], distances: [], agreements: [], ...nothing, ...part };
}
