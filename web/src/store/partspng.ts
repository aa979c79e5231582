/**
 * Part maps as 8-bit grey PNGs, written and read here and not by a canvas: there colours may be managed, alpha multiplied and
 * pixels disturbed for privacy, and an id that is off by one is another part.
 */

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const UNREADABLE = "This part map cannot be read.";

export interface GreyPicture {
  readonly width: number;
  readonly height: number;
  /** Row by row, 0 to 255. */
  readonly values: Uint8Array;
}

export async function encodeGrey({ width, height, values }: GreyPicture): Promise<Uint8Array> {
  const rows = new Uint8Array((width + 1) * height);
  for (let row = 0; row < height; row++) {
    rows.set(values.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header[8] = 8; // bits; all that follows is 0: grey, deflated, by rows
  const pixels = await piped(rows, new CompressionStream("deflate"));
  const parts = [
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", header),
    chunk("IDAT", pixels),
    chunk("IEND", new Uint8Array(0)),
  ];
  return joined(parts);
}

/** Fails on every other kind of file. */
export async function decodeGrey(png: Uint8Array): Promise<GreyPicture> {
  const chunks = SIGNATURE.every((byte, index) => png[index] === byte) ? readChunks(png) : [];
  const header = chunks.find(({ name }) => name === "IHDR")?.data;
  if (header === undefined || header.length !== 13) throw new Error(UNREADABLE);
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [bits, colour, , , interlace] = header.subarray(8);
  if (bits !== 8 || colour !== 0 || interlace !== 0) throw new Error(UNREADABLE);
  const packed = joined(chunks.filter(({ name }) => name === "IDAT").map(({ data }) => data));
  const rows = await piped(packed, new DecompressionStream("deflate"));
  if (rows.length !== (width + 1) * height) throw new Error(UNREADABLE);
  return { width, height, values: unfiltered(rows, width, height) };
}

/** Each row was written as its difference to what its first byte names. */
function unfiltered(rows: Uint8Array, width: number, height: number): Uint8Array {
  const values = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    const filter = rows[row * (width + 1)] ?? 0;
    for (let column = 0; column < width; column++) {
      const index = row * width + column;
      const left = column > 0 ? (values[index - 1] ?? 0) : 0;
      const up = row > 0 ? (values[index - width] ?? 0) : 0;
      const corner = column > 0 && row > 0 ? (values[index - width - 1] ?? 0) : 0;
      values[index] = (rows[row * (width + 1) + column + 1] ?? 0) + predicted(filter, left, up, corner);
    }
  }
  return values;
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  if (filter !== 4) throw new Error(UNREADABLE);
  const [toLeft, toUp, toCorner] = [
    Math.abs(up - corner),
    Math.abs(left - corner),
    Math.abs(left + up - 2 * corner),
  ];
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

function readChunks(png: Uint8Array): { name: string; data: Uint8Array }[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const chunks: { name: string; data: Uint8Array }[] = [];
  for (let start = SIGNATURE.length; start + 12 <= png.length; ) {
    const length = view.getUint32(start);
    const name = String.fromCharCode(...png.subarray(start + 4, start + 8));
    chunks.push({ name, data: png.subarray(start + 8, start + 8 + length) });
    start += 12 + length;
  }
  return chunks;
}

function chunk(name: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(
    [...name].map((letter) => letter.charCodeAt(0)),
    4,
  );
  bytes.set(data, 8);
  view.setUint32(8 + data.length, checksum(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** CRC-32. */
function checksum(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

async function piped(
  bytes: Uint8Array,
  through: CompressionStream | DecompressionStream,
): Promise<Uint8Array> {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(through);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let start = 0;
  for (const part of parts) {
    whole.set(part, start);
    start += part.length;
  }
  return whole;
}
