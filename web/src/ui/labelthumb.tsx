/** A labelled picture: the frame with its painted parts over it. */

import { useEffect, useRef } from "preact/hooks";
import type { Label, PartClass } from "../messages";
import { frameAddress, getBytes, paintedPartsAddress } from "../store/api";
import { decodeGrey, type GreyPicture } from "../store/partspng";
import { useStudio } from "./context";
import { IconButton } from "./controls";
import { useFetched } from "./fetched";
import { Still } from "./still";

const WIDTH = 128;

function paint(canvas: HTMLCanvasElement, map: GreyPicture, classes: readonly PartClass[]): void {
  const { width, height, values } = map;
  Object.assign(canvas, { width, height });
  const pixels = new ImageData(width, height);
  values.forEach((id, index) => {
    const [red, green, blue] = classes[id]?.colour ?? [0, 0, 0];
    pixels.data.set([red, green, blue, 255], 4 * index);
  });
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
}

interface LabelThumbProps {
  readonly label: Label;
  readonly number: number;
  readonly classes: readonly PartClass[];
  readonly disabled: boolean;
}

export function LabelThumb({ label, number, classes, disabled }: LabelThumbProps) {
  const { session, viewing } = useStudio();
  const canvas = useRef<HTMLCanvasElement>(null);
  const map = useFetched(label.parts, async () =>
    decodeGrey(await getBytes(paintedPartsAddress(session.id, label.parts))),
  );
  useEffect(() => {
    if (canvas.current && map.state === "there") paint(canvas.current, map.value, classes);
  }, [map, classes]);
  return (
    <li class="label" data-testid={`label-${number}`}>
      <button
        type="button"
        class="label-picture"
        aria-label={`Look at label ${number}`}
        onClick={() => viewing.lookAt(label.place)}
      >
        <Still src={frameAddress(session.id, label.place, WIDTH)} />
        <canvas ref={canvas} />
      </button>
      <IconButton
        testid={`label-${number}-remove`}
        icon="close"
        label={`Remove label ${number}`}
        disabled={disabled}
        onClick={() => session.send({ type: "remove_label", label: label.parts })}
      />
    </li>
  );
}
