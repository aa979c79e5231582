/** How the picture is looked at: zoom, grid, before and after. */

import { useStudio } from "./context";
import { IconButton } from "./controls";

function percent(zoom: number): string {
  return `${zoom < 0.1 ? (zoom * 100).toFixed(1) : Math.round(zoom * 100)} %`;
}

function Pointer() {
  const { tools } = useStudio();
  const pointer = tools.pointer.value;
  return <span class="pointer">{pointer && `${Math.round(pointer[0])}, ${Math.round(pointer[1])}`}</span>;
}

function Zoom() {
  const { tools, stage } = useStudio();
  return (
    <button
      type="button"
      class="zoom"
      data-testid="zoom-actual"
      aria-label={`Zoom ${percent(tools.zoom.value)}; show at 100 %`}
      onClick={() => stage.value?.actualSize()}
    >
      {percent(tools.zoom.value)}
    </button>
  );
}

export function LookBar() {
  const { stage, tools, viewing } = useStudio();
  const comparing = viewing.style.value === "slider";
  return (
    <div class="look" role="toolbar" aria-label="Look">
      <Pointer />
      <IconButton
        testid="compare-slider"
        icon="compare"
        label="Before and after"
        tip="Before and after, at a slider (hold C for all of it)"
        pressed={comparing}
        onClick={() => (comparing ? viewing.stopComparing() : viewing.compareWith(null))}
      />
      <IconButton
        testid="grid"
        icon="grid"
        label="Grid"
        tip="Grid (Shift+G)"
        pressed={tools.grid.value}
        onClick={() => {
          tools.grid.value = !tools.grid.value;
        }}
      />
      <IconButton
        testid="zoom-out"
        icon="minus"
        label="Zoom out"
        tip="Zoom out (-)"
        onClick={() => stage.value?.zoomBy(0.8)}
      />
      <Zoom />
      <IconButton
        testid="zoom-in"
        icon="plus"
        label="Zoom in"
        tip="Zoom in (+)"
        onClick={() => stage.value?.zoomBy(1.25)}
      />
      <IconButton testid="zoom-fit" icon="fit" label="Fit" tip="Fit (0)" onClick={() => stage.value?.fit()} />
    </div>
  );
}
