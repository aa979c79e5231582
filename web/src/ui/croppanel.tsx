/** Which part of the photo the model should make: one of the faces found in it, or a box. */

import type { CropShown, Shown, XY } from "../canvas/model";
import { IMAGE_TYPES } from "../store/opening";
import { NO_FACE, sideOf } from "../store/photo";
import type { Studio } from "../store/studio";
import { useStudio } from "./context";
import { Button, Section } from "./controls";
import { FaceThumb } from "./facethumb";
import { FileButton } from "./filebutton";
import { Icon } from "./icons";

interface FaceChoiceProps {
  readonly corners: readonly XY[];
  readonly index: number;
  readonly chosen: boolean;
  readonly alone: boolean;
}

/** The photo while it is on the canvas; null while something else is. */
function usePhoto(): Shown | null {
  const { viewing, editable } = useStudio();
  const [picture, node] = [viewing.picture.value, viewing.node.value];
  const isThere = editable.value && picture?.width === node?.size[0] && picture?.height === node?.size[1];
  return isThere ? picture : null;
}

function FaceChoice({ corners, index, chosen, alone }: FaceChoiceProps) {
  const { photo, editable } = useStudio();
  return (
    <label class="face" data-testid={`face-${index + 1}`}>
      <input
        type="radio"
        name="face"
        checked={chosen}
        disabled={!editable.value}
        aria-label={`Face ${index + 1}`}
        onChange={() => photo.choose({ face: index }, `Choose face ${index + 1}`)}
      />
      <FaceThumb photo={usePhoto()} corners={corners} />
      {!alone && <span>{index + 1}</span>}
    </label>
  );
}

function Faces({ crop }: { crop: CropShown }) {
  const { photo } = useStudio();
  if (photo.found.value === null) return <p class="quiet">{photo.obstacle.value}</p>;
  if (crop.faces.length === 0) return crop.box ? null : <p data-testid="no-face">{NO_FACE}</p>;
  return (
    <div class="faces" role="radiogroup" aria-label="Faces">
      {crop.faces.map((corners, index) => (
        <FaceChoice
          key={index}
          corners={corners}
          index={index}
          chosen={crop.face === index}
          alone={crop.faces.length === 1}
        />
      ))}
    </div>
  );
}

/** How large the chosen part is, and what becomes of it. */
function Chosen({ crop }: { crop: CropShown }) {
  const { photo } = useStudio();
  const [side, made] = [sideOf(crop), photo.model.value?.resolution ?? null];
  if (side === null || made === null) return null;
  const what = crop.box ? "The box" : crop.faces.length > 1 ? `Face ${(crop.face ?? 0) + 1}` : "The face";
  const blurry = side < made / 2 ? " It is small, so it will look soft." : "";
  return (
    <p class="quiet" data-testid="crop-size">
      {what} is {side} × {side} pixels of the photo; the model makes {made} × {made}.{blurry}
    </p>
  );
}

function Cropping({ crop }: { crop: CropShown }) {
  return (
    <>
      <Faces crop={crop} />
      <Chosen crop={crop} />
      <p class="quiet">
        Run finds the code that makes this part, in a minute or two. Then every edit works on it, and Export
        puts it back into the whole photo.
      </p>
    </>
  );
}

export function CropPanel() {
  const { photo, tools, editable } = useStudio();
  const crop = photo.crop.value;
  const draw = crop && (
    <Button
      testid="crop-draw"
      icon="crop"
      label="Draw a box"
      disabled={!editable.value}
      onClick={() => {
        tools.tool.value = "crop";
      }}
    />
  );
  return (
    <Section name="crop" title="Which part" actions={draw}>
      {crop ? (
        <Cropping crop={crop} />
      ) : (
        <>
          <p class="empty">
            <Icon name="image" /> Choose a photo of your own, or drop it anywhere on this page.
          </p>
          <FileButton testid="choose-photo" label="Choose a photo" icon="image" accept={IMAGE_TYPES} />
        </>
      )}
    </Section>
  );
}

function next({ photo, editable, session }: Studio): string {
  const crop = photo.crop.value;
  if (session.run.value !== null) return "The part can be chosen again when the run has ended.";
  if (crop === null || !editable.value) return "Choose a photo first.";
  if (crop.box !== null) return "Pull the box or its corners; arrow keys move it.";
  const face = crop.faces.length > 1 ? "Click a face, or pull" : "Pull";
  return `${face} a box around what the model should make.`;
}

export function CropOptions() {
  return (
    <p class="quiet" data-testid="crop-options">
      {next(useStudio())}
    </p>
  );
}
