import { expect, test } from "vitest";
import { readFrame } from "./frames";

function pack(head: object, body: Uint8Array): ArrayBuffer {
  const text = new TextEncoder().encode(JSON.stringify(head));
  const data = new Uint8Array(4 + text.length + body.length);
  new DataView(data.buffer).setUint32(0, text.length);
  data.set(text, 4);
  data.set(body, 4 + text.length);
  return data.buffer;
}

test("a frame is its head and the bytes after it", async () => {
  const head = { number: 7, node: "a".repeat(16), step: 3, facts: [], sent: 1.5 };
  const frame = readFrame(pack(head, new Uint8Array([255, 216, 1])));
  expect(frame.head).toEqual(head);
  expect(new Uint8Array(await frame.jpeg.arrayBuffer())).toEqual(new Uint8Array([255, 216, 1]));
});

test("words beyond ASCII are measured in bytes", () => {
  const head = { number: 1, node: "é".repeat(16), step: 0, facts: [], sent: 0 };
  expect(readFrame(pack(head, new Uint8Array([9]))).jpeg.size).toBe(1);
});
