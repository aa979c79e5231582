import { expect, test } from "vitest";
import { decodeGrey, encodeGrey } from "./partspng";

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

test("every id comes back as it went", async () => {
  const values = Uint8Array.from({ length: 256 * 3 }, (_, index) => (index * 7) % 256);
  const picture = { width: 256, height: 3, values };
  expect(await decodeGrey(await encodeGrey(picture))).toEqual(picture);
});

test("a large map of few parts is small", async () => {
  const values = new Uint8Array(1024 * 1024).map((_, index) => (index % 1024 < 512 ? 3 : 5));
  expect((await encodeGrey({ width: 1024, height: 1024, values })).length).toBeLessThan(20_000);
});

// one row with each of the five filters; read alike by Pillow
test("rows that other programs wrote as differences are read", async () => {
  const png = fromHex(
    "89504e470d0a1a0a0000000d49484452000000060000000508000000004333c23a0000002b4944415478da6360" +
      "6064e1149064e46661e3e0e261e2e6131411bfc52cc6c37ff18b180b37ef7911e1ab00374a059345a6a2e50000" +
      "000049454e44ae426082",
  );
  const { width, height, values } = await decodeGrey(png);
  expect([width, height]).toEqual([6, 5]);
  expect([...values]).toEqual(
    Array.from({ length: 30 }, (_, index) => {
      const [x, y] = [index % 6, Math.floor(index / 6)];
      return (x * x + 3 * x * y + 11 * y) % 64;
    }),
  );
});

test("other pictures and other files are refused", async () => {
  const grey = await encodeGrey({ width: 2, height: 2, values: new Uint8Array(4) });
  const coloured = grey.slice();
  coloured[25] = 2;
  const lying = grey.slice();
  lying[19] = 9;
  for (const file of [new Uint8Array(0), Uint8Array.from([1, 2, 3]), coloured, lying, grey.subarray(0, 40)]) {
    await expect(decodeGrey(file)).rejects.toThrow();
  }
});
