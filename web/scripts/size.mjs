/** Prints what a first visit downloads and fails beyond the limit. */

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const LIMIT = 120 * 1024;
const assets = fileURLToPath(new URL("../../src/pliant/studio/_web/assets/", import.meta.url));

let total = 0;
for (const name of readdirSync(assets).filter((each) => /\.(js|css)$/.test(each))) {
  const size = gzipSync(readFileSync(assets + name)).length;
  total += size;
  console.log(`${(size / 1024).toFixed(1).padStart(7)} KB gzip  ${name}`);
}
console.log(`${(total / 1024).toFixed(1).padStart(7)} KB gzip of ${LIMIT / 1024} KB`);
if (total > LIMIT) process.exit(1);
