/** A face of the photo, cut out and upright. */

import { useEffect, useRef } from "preact/hooks";
import type { Shown, XY } from "../canvas/model";

const SIDE = 112;

interface FaceThumbProps {
  /** Null while it is not at hand: what was painted stays. */
  readonly photo: Shown | null;
  /** Clockwise from the face's top left. */
  readonly corners: readonly XY[];
}

function paint(canvas: HTMLCanvasElement, { image }: Shown, corners: readonly XY[]): void {
  const [from, across, , down] = corners;
  const context = canvas.getContext("2d");
  if (!context || !from || !across || !down) return;
  const [ax, ay] = [across[0] - from[0], across[1] - from[1]];
  const [dx, dy] = [down[0] - from[0], down[1] - from[1]];
  const area = (ax * dy - ay * dx) / SIDE;
  // from the photo to the thumbnail: what takes the two edges to the thumbnail's
  context.setTransform(dy / area, -ay / area, -dx / area, ax / area, 0, 0);
  context.imageSmoothingQuality = "high";
  context.drawImage(image, -from[0], -from[1]);
}

export function FaceThumb({ photo, corners }: FaceThumbProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current && photo) paint(canvas.current, photo, corners);
  }, [photo, corners]);
  return <canvas ref={canvas} width={SIDE} height={SIDE} />;
}
