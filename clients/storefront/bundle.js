/** How everything of the storefront is bundled: its pages, and their tests. */

/** The folder of the shell, from that which holds the whole tree. */
export const SHELL = "clients/storefront";

/** What all bundles share. */
export const OPTIONS = {
  bundle: true,
  format: "esm",
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
  target: "es2022",
  tsconfig: `${SHELL}/tsconfig.json`,
};
