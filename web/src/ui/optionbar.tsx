/** The options of the tool in hand, in a bar over the canvas. */

import { useStudio } from "./context";

export function OptionBar() {
  const { mode, tools } = useStudio();
  const Options = mode.value?.inputs.find(({ tool }) => tool === tools.tool.value)?.Options;
  return (
    <div class="optionbar" data-tool={tools.tool.value}>
      {Options ? <Options /> : <p class="quiet">Drag to move the picture; the wheel zooms.</p>}
    </div>
  );
}
