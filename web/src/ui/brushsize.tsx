/** How thick the brush paints. */

import { BRUSH_SIZES } from "../store/tools";
import { useStudio } from "./context";
import { Slider } from "./controls";

/** Brush sizes are felt as ratios: the slider is logarithmic. */
export function BrushSize() {
  const { tools } = useStudio();
  const { size } = tools;
  return (
    <label class="option">
      <span>Size</span>
      <Slider
        testid="brush-size"
        label="Brush size"
        text={`${size} pixels`}
        value={Math.log(size)}
        low={Math.log(BRUSH_SIZES.least)}
        high={Math.log(BRUSH_SIZES.most)}
        step={0.01}
        onInput={(value) => {
          tools.size = Math.round(Math.exp(value));
        }}
      />
      <output>{size} px</output>
    </label>
  );
}
