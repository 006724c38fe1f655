/** Which fragments import what is not theirs to import. */

const IMPORTED = /(?:from|import)\s*\(?\s*"([^"]+)"/g;
const TEST = /\.test\.tsx?$/;
// Of its own folder, of the shell what it shows, of the client everything, and what the shell stands on.
const LAWFUL = /^(?:\.\/[^/]+|storefront|shop-client(?:\/.+)?|preact(?:\/.+)?)$/;
// What no page may hold, its tests may.
const LAWFUL_IN_TESTS = /^(?:storefront\/testing|node:.+)$/;

/**
 * Find imports that cross a boundary, be they of values or of types.
 *
 * @param {ReadonlyMap<string, string>} sources - the text of each file of fragments, by its path.
 * @returns {string[]} a sentence for each, which names the file and what it imports.
 */
export function trespasses(sources) {
  return [...sources].flatMap(([path, text]) =>
    [...text.matchAll(IMPORTED)]
      .map(([, name]) => name)
      .filter((name) => !LAWFUL.test(name) && !(TEST.test(path) && LAWFUL_IN_TESTS.test(name)))
      .map((name) => `${path} imports "${name}": a fragment may import "storefront", "shop-client" and its own folder`),
  );
}
