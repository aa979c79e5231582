/** Binary messages: 4 bytes with the length of a JSON head (big-endian), the head, a JPEG. */

import type { FrameHead } from "../messages";

export interface Frame {
  readonly head: FrameHead;
  readonly jpeg: Blob;
}

export function readFrame(data: ArrayBuffer): Frame {
  const length = new DataView(data).getUint32(0);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length))) as FrameHead;
  return { head, jpeg: new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" }) };
}
