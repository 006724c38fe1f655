/**
 * Bundles the tests in a folder, for Node to run.
 *
 * Usage: node bundle_tests.js FOLDER TARGET
 *
 * It runs in the folder that holds the whole tree: `clients/`, `services/` and `node_modules/`. The
 * shop that tests call is that of `src/testing/shop.ts`, which answers as they say.
 */
import { glob, readFile } from "node:fs/promises";
import { resolve } from "node:path";
import process from "node:process";

import { build } from "esbuild";

import { trespasses } from "./boundaries.js";
import { OPTIONS, SHELL } from "./bundle.js";

/** Puts the shop of the tests in the place of the one that is reached over a network. */
const SCRIPTED_SHOP = {
  name: "scripted shop",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/shop\.js$/ }, ({ importer }) =>
      importer.endsWith(`${SHELL}/src/public.ts`)
        ? { path: resolve(SHELL, "src/testing/shop.ts") }
        : undefined,
    );
  },
};

const [folder, target] = process.argv.slice(2);
if (!folder || !target) {
  throw new Error("usage: node bundle_tests.js FOLDER TARGET");
}
const tests = await Array.fromAsync(glob(`${folder}/**/*.test.{ts,tsx}`));
if (tests.length === 0) {
  throw new Error(`${folder} has no tests: expected files that are named *.test.ts or *.test.tsx`);
}
const sources = new Map();
for (const path of tests) {
  sources.set(path, await readFile(path, "utf-8"));
}
const found = folder.startsWith(SHELL) ? [] : trespasses(sources);
if (found.length > 0) {
  throw new Error(found.join("\n"));
}
await build({
  ...OPTIONS,
  entryPoints: tests,
  outdir: target,
  platform: "node",
  sourcemap: "inline",
  // Such as preact and what looks at pages: Node finds them.
  packages: "external",
  // Nobody sees colours here.
  loader: { ".css": "empty" },
  plugins: [SCRIPTED_SHOP],
});
