/**
 * Builds the storefront into a folder of static files.
 *
 * Usage: node build.js FOLDER
 *
 * It runs in the folder that holds the whole tree: `clients/`, `services/` and `node_modules/`.
 */
import { copyFile, glob, mkdir, readFile, writeFile } from "node:fs/promises";
import { relative } from "node:path";
import process from "node:process";

import { build } from "esbuild";

import { trespasses } from "./boundaries.js";
import { OPTIONS, SHELL } from "./bundle.js";

/** The tags of index.html that load a file. */
function tagsOf(before, { outputs }, folder) {
  const path = (file) => relative(folder, file);
  const [main] = Object.keys(outputs).filter((each) => outputs[each].entryPoint?.endsWith("main.tsx"));
  const needed = outputs[main].imports.filter(({ kind }) => kind === "import-statement");
  return [
    // Runs before anything is shown, as what has `type="module"` would not.
    `<script src="${path(before)}"></script>`,
    `<link rel="stylesheet" href="${path(outputs[main].cssBundle)}">`,
    ...needed.map((each) => `<link rel="modulepreload" href="${path(each.path)}">`),
    `<script type="module" src="${path(main)}"></script>`,
  ].join("\n    ");
}

async function checkBoundaries() {
  const sources = new Map();
  for await (const path of glob("services/*/storefront/*.{ts,tsx}")) {
    sources.set(path, await readFile(path, "utf-8"));
  }
  const found = trespasses(sources);
  if (found.length > 0) {
    throw new Error(found.join("\n"));
  }
}

async function buildSite(folder) {
  const options = {
    ...OPTIONS,
    outdir: `${folder}/assets`,
    // What changes has another name, so that browsers may keep what they have.
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    minify: true,
    metafile: true,
    legalComments: "none",
  };
  const before = await build({ ...options, entryPoints: [`${SHELL}/src/before.ts`], format: "iife" });
  const { metafile } = await build({
    ...options,
    entryPoints: { shop: `${SHELL}/src/main.tsx` },
    splitting: true,
  });
  const tags = tagsOf(Object.keys(before.metafile.outputs)[0], metafile, folder);
  const page = await readFile(`${SHELL}/src/index.html`, "utf-8");
  await writeFile(`${folder}/index.html`, page.replace("<!-- assets -->", () => tags));
  await copyFile(`${SHELL}/src/icon.svg`, `${folder}/icon.svg`);
}

const [folder] = process.argv.slice(2);
if (!folder) {
  throw new Error("usage: node build.js FOLDER");
}
await mkdir(folder, { recursive: true });
await checkBoundaries();
await buildSite(folder);
