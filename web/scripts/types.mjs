/** Writes src/messages.ts from the JSON schema on standard input; with --check, fails where it would differ. */

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const TARGET = fileURLToPath(new URL("../src/messages.ts", import.meta.url));
const BANNER = "/** Generated from src/pliant/studio/messages.py by `npm run types`; change it there. */";

/** Calls `visit` on every object in a JSON value, children first. */
function walk(value, visit) {
  if (value === null || typeof value !== "object") return;
  for (const child of Object.values(value)) walk(child, visit);
  if (!Array.isArray(value)) visit(value);
}

/** Names of the definitions that a part of the schema needs, directly or through others. */
function reachable(schema, part) {
  const found = new Set();
  const follow = (from) =>
    walk(from, ({ $ref }) => {
      const name = typeof $ref === "string" ? $ref.split("/").pop() : null;
      if (name === null || found.has(name)) return;
      found.add(name);
      follow(schema.$defs[name]);
    });
  follow(part);
  return found;
}

/** The server writes every field; the page may leave out what has a default, but never the type. */
function requireFields(schema) {
  const { from_page: fromPage, ...others } = schema.properties;
  const fromServer = reachable(schema, others);
  for (const name of [...fromServer, ...reachable(schema, fromPage)]) {
    const model = schema.$defs[name];
    const all = Object.keys(model.properties ?? {});
    model.required = fromServer.has(name) ? all : [...new Set([...(model.required ?? []), "type"])];
    model.required = model.required.filter((field) => all.includes(field));
  }
}

/** Of an item of a tuple: a tuple itself, or a number. */
function typeOfItem({ tsType }) {
  return tsType ?? "number";
}

/** Tuples, maps and titles as the library understands them. */
function simplify(schema) {
  walk(schema, (part) => {
    if (part.prefixItems) part.tsType = `readonly [${part.prefixItems.map(typeOfItem).join(", ")}]`;
    if (part.patternProperties) {
      part.additionalProperties = Object.values(part.patternProperties)[0];
      delete part.patternProperties;
    }
  });
  for (const model of Object.values({ ...schema.$defs, Wire: schema })) {
    for (const field of Object.values(model.properties ?? {})) delete field.title;
  }
}

function readonlyFields(text) {
  return text
    .replace(/^(\w+\??: )/gm, "readonly $1")
    .replace(/: (\w+)\[\]/g, ": readonly $1[]")
    .replace(/\((\w+)\[\] \|/g, "(readonly $1[] |")
    .replace(/: (\(.*\)|readonly \[.*?\])\[\]$/gm, ": readonly ($1)[]");
}

const schema = JSON.parse(readFileSync(0, "utf8"));
requireFields(schema);
simplify(schema);
const options = {
  additionalProperties: false,
  bannerComment: BANNER,
  format: false,
  ignoreMinAndMaxItems: true,
};
const text = readonlyFields(await compile(schema, "Wire", options));

if (!process.argv.includes("--check")) {
  writeFileSync(TARGET, text);
} else if (readFileSync(TARGET, "utf8") !== text) {
  console.error("src/messages.ts differs from messages.py: run `npm run types`.");
  process.exit(1);
}
