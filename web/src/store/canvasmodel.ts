/** The canvas's view of the page: the document, or an old run while one is looked at. */

import { computed } from "@preact/signals";
import type { CanvasModel, PointMark, Tool } from "../canvas/model";
import type { RunMarks, Special } from "../modes/mode";
import { SPECIAL } from "../modes/special";
import { marksAfterRun, pointsOfRun } from "./marks";
import type { Studio } from "./studio";
import { dark, reducedMotion } from "./theme";

const NOTHING: RunMarks = { tracked: [], trails: [] };

export function makeCanvasModel({
  session,
  viewing,
  mode,
  masks,
  parts,
  photo,
  boxes,
  things,
  sharp,
  tools,
  editable,
}: Studio): CanvasModel {
  const documentPoints = computed(() => session.document.value?.points ?? []);
  const measured = computed(() => session.measured.value.get(viewing.node.value?.id ?? "") ?? null);

  const points = computed((): readonly PointMark[] => {
    if (!takesPoints.value) return [];
    if (viewing.looking.value === null) return documentPoints.value;
    return measured.value && viewing.node.value?.edit ? pointsOfRun(measured.value) : [];
  });

  // tasks of one mode share a document, not all of what is set up in it
  const takes = (tool: Tool) => computed(() => !mode.value?.edit.group || mode.value.tools.includes(tool));
  const [takesPoints, takesMask] = [takes("point"), takes("brush")];

  const marks = computed((): RunMarks => {
    const [place, node, known] = [viewing.place.value, viewing.node.value, measured.value];
    const special: Special = SPECIAL[node?.edit ?? ""] ?? {};
    if (place === null || known === null || special.marks === undefined) return NOTHING;
    const found = special.marks(known.facts, place.step);
    const idle = session.run.value === null && viewing.looking.value === null;
    return idle ? marksAfterRun(points.value, known, place.step, found) : found;
  });

  return {
    picture: viewing.picture,
    extent: viewing.extent,
    sharp: sharp.shown,
    isPreview: computed(() => viewing.preview.value !== null),
    comparison: viewing.comparison,
    split: tools.split,
    tool: tools.tool,
    editable,
    points,
    pointsVisible: tools.pointsVisible,
    selected: tools.selected,
    pending: tools.pending,
    tracked: computed(() => (marks.value.tracked.length > 0 ? marks.value.tracked : null)),
    trails: computed(() => marks.value.trails),
    notes: computed(() => (editable.value ? session.hints.value : [])),
    mask: computed(() => (takesMask.value ? masks.shown.value : null)),
    maskVisible: tools.maskVisible,
    brush: tools.brush,
    parts: computed(() => (viewing.looking.value === null ? parts.shown.value : null)),
    partsVisible: tools.partsVisible,
    partsOpacity: tools.partsOpacity,
    unsure: parts.unsure,
    partsAction: tools.partsAction,
    part: tools.part,
    partsSize: tools.partsSize,
    crop: computed(() => (editable.value ? photo.crop.value : null)),
    boxes: computed(() => (viewing.looking.value === null ? boxes.shown.value : null)),
    box: boxes.selected,
    things: computed(() => (viewing.looking.value === null ? things.shown.value : null)),
    thing: things.selected,
    thingAction: tools.thingAction,
    nextColour: boxes.nextColour,
    grid: tools.grid,
    zoom: tools.zoom,
    pointer: tools.pointer,
    reducedMotion,
    dark,
    changePoints: (next, label) => session.change({ label, points: next }),
    changeMask: (png, label) => masks.change(png, label),
    changeParts: (ids, label) => parts.change(ids, label),
    changeCrop: (crop, label) => photo.choose(crop, label),
    changeBox: (index, box) => boxes.change(index, box),
    placeThing: (index, placing, label) => things.place(index, placing, label),
    select: (selection, joining) => void things.take(selection, joining),
    selectAt: (at, joining) => void things.click(at, joining),
    selectBox: (from, to, joining) => void things.box(from, to, joining),
  };
}
