import { expect, test } from "vitest";
import { filledAt, paintIds, replaced, sameIds, shares } from "./ids";

const SIZE = { width: 7, height: 5 };

function map(text: string): Uint8Array {
  return Uint8Array.from(text.replace(/\s/g, ""), Number);
}

function rows(ids: Uint8Array, width = SIZE.width): string[] {
  const text = [...ids].join("");
  return Array.from({ length: ids.length / width }, (_, row) => text.slice(row * width, (row + 1) * width));
}

const EMPTY = new Uint8Array(SIZE.width * SIZE.height);

test("a dab paints the pixels whose centres it covers, and no halves", () => {
  const ids = EMPTY.slice();
  paintIds(ids, SIZE, [{ x: 3, y: 2, radius: 1.5 }], 4);
  expect(rows(ids)).toEqual(["0000000", "0044400", "0044400", "0044400", "0000000"]);
});

test("a stroke joins its dabs and stays in the picture", () => {
  const ids = EMPTY.slice();
  paintIds(
    ids,
    SIZE,
    [
      { x: -2, y: 1, radius: 0.5 },
      { x: 4, y: 1, radius: 0.5 },
      { x: 9, y: 1, radius: 0.5 },
    ],
    2,
  );
  expect(rows(ids)).toEqual(["0000000", "2222222", "0000000", "0000000", "0000000"]);
});

test("the thinnest stroke leaves a pixel wherever it is put", () => {
  for (const x of [3, 3.25, 3.5, 3.75]) {
    const ids = EMPTY.slice();
    paintIds(ids, SIZE, [{ x, y: 2.5, radius: 0.5 }], 1);
    expect(ids.some((id) => id === 1)).toBe(true);
  }
});

test("erasing gives back what the other map has", () => {
  const own = map("1111111 2222222 3333333 4444444 5555555");
  const ids = new Uint8Array(own.length).fill(9);
  paintIds(ids, SIZE, [{ x: 0, y: 2, radius: 1 }], own);
  expect(rows(ids)).toEqual(["9999999", "2999999", "3399999", "4999999", "9999999"]);
});

test("a fill takes the connected region of one part, not over corners and edges", () => {
  const ids = map("0010001 0100010 1000100 0001000 0010000");
  expect(rows(filledAt(ids, SIZE, 4, 0, 5))).toEqual(["0015551", "0155510", "1555100", "5551000", "5510000"]);
  expect(rows(ids)[0]).toBe("0010001");
  expect(sameIds(filledAt(ids, SIZE, 0, 0, 0), ids)).toBe(true);
});

test("a fill of everything goes through large pictures", () => {
  const size = { width: 400, height: 300 };
  const filled = filledAt(new Uint8Array(120_000), size, 399, 299, 63);
  expect(filled.every((id) => id === 63)).toBe(true);
});

test("all of a part can become another", () => {
  expect([...replaced(map("0120120"), 1, 7)]).toEqual([0, 7, 2, 0, 7, 2, 0]);
});

test("shares count each part; an id that nobody named is left out", () => {
  expect(shares(map("0011122 9"), 3)).toEqual([2 / 8, 3 / 8, 2 / 8]);
  expect(shares(new Uint8Array(0), 2)).toEqual([0, 0]);
});
