import assert from "node:assert/strict";
import test from "node:test";

import { trespasses } from "../boundaries.js";

const PATH = "services/orders/storefront/crime.tsx";

function of(text, path = PATH) {
  return trespasses(new Map([[path, text]]));
}

for (const [crime, text] of Object.entries({
  "what is another fragment's": 'import { cart } from "../../shopping_cart/storefront/cart.js";',
  "types of another fragment": 'import type { Listing } from "../../inventory/storefront/listing.js";',
  "another fragment, late": 'const page = await import("../../home/storefront/home_page.js");',
  "what the shell keeps to itself": 'import { place } from "../../../clients/storefront/src/router.js";',
  "the inside of the client": 'import { Session } from "../../../clients/web/src/runtime/session.js";',
  "what is there for tests": 'import { when } from "storefront/testing";',
  "a package that nobody weighed": 'import _ from "lodash";',
})) {
  test(`a fragment does not import ${crime}`, () => {
    const [said, ...more] = of(text);
    assert.ok(said?.startsWith(`${PATH} imports "`), said);
    assert.deepEqual(more, []);
  });
}

test("a fragment imports the client, the shell and its own folder", () => {
  const lawful = ["shop-client", "shop-client/orders/v1/api", "storefront", "preact/hooks", "./key.js"];
  assert.deepEqual(of(lawful.map((name) => `import "${name}";\n`).join("")), []);
});

test("a test of a fragment imports what is there for tests, and no other fragment", () => {
  const path = PATH.replace(".tsx", ".test.tsx");
  const lawful = ["storefront/testing", "node:test", "node:assert/strict", "./fragment.js"];
  assert.deepEqual(of(lawful.map((name) => `import "${name}";\n`).join(""), path), []);
  assert.equal(of('import { cart } from "../../shopping_cart/storefront/cart.js";', path).length, 1);
});
