/** The page's state for browser tests, to be read and not to be changed: only where the server runs in test mode. */

import type { Studio } from "./studio";

export function showToTests({
  session,
  viewing,
  tools,
  parts,
  boxes,
  things,
  sharp,
  editable,
}: Studio): void {
  const view = Object.freeze({
    get place() {
      return viewing.place.value;
    },
    get looking() {
      return viewing.looking.value;
    },
    get comparing() {
      return viewing.style.value;
    },
    get zoom() {
      return tools.zoom.value;
    },
    get tool() {
      return tools.tool.value;
    },
    get part() {
      return tools.part.value;
    },
    get partsAction() {
      return tools.partsAction.value;
    },
    get previewed() {
      return viewing.preview.value !== null && !viewing.previewOutdated.value;
    },
    get selected() {
      return tools.selected.value;
    },
    get box() {
      return boxes.selected.value;
    },
    get thing() {
      return things.selected.value;
    },
    get thingAction() {
      return tools.thingAction.value;
    },
    /** Boxes around the things where they go, as they are drawn. */
    get things() {
      return (
        things.shown.value?.all.map(({ selection, placing }) => ({ bounds: selection.bounds, placing })) ??
        null
      );
    },
    /** What is behind them is there. */
    get behind() {
      return things.shown.value?.behind != null;
    },
    /** A drawing is shown without pixels where it is zoomed in. */
    get sharp() {
      return sharp.shown.value !== null;
    },
    get editable() {
      return editable.value;
    },
  });
  const shown = Object.freeze({
    view,
    get session() {
      return session.id;
    },
    get connected() {
      return session.connected.value;
    },
    get document() {
      return session.document.value;
    },
    get state() {
      return session.state.value;
    },
    get run() {
      return session.run.value;
    },
    get ended() {
      return session.ended.value;
    },
    /** Ids that are shown, row by row; null where there are none. */
    get parts() {
      return parts.shown.value && [...parts.shown.value.painted];
    },
    get frames() {
      return viewing.drawn.count;
    },
    get latencies() {
      return [...viewing.drawn.latencies];
    },
  });
  Object.defineProperty(window, "__pliant", { value: shown, configurable: true });
}
