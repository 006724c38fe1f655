import assert from "node:assert/strict";
import test from "node:test";

import { goTo, whereabouts } from "./testing/public.js";

import { go, match, place, to } from "./router.js";

test("a path that fits gives what its pattern names", () => {
  assert.deepEqual(match("/items/:sku", "/items/KIT-BRD-0008"), { sku: "KIT-BRD-0008" });
  assert.deepEqual(match("/", "/"), {});
});

for (const [why, pattern, path] of [
  ["is longer", "/items", "/items/1"],
  ["is shorter", "/items/:sku", "/items"],
  ["lacks what is named", "/items/:sku", "/items/"],
  ["has other words", "/items/:sku", "/orders/1"],
  ["cannot be decoded", "/items/:sku", "/items/%E0%A4%A"],
] as const) {
  test(`a path does not fit that ${why}`, () => assert.equal(match(pattern, path), null));
}

for (const name of ["oak board", "50 % off", "a/b", "ü?#&="]) {
  test(`the place of '${name}' gives the name back`, () => {
    assert.deepEqual(match("/items/:sku", `/items/${encodeURIComponent(name)}`), { sku: name });
  });

  test(`a query of '${name}' arrives as it was`, async () => {
    await goTo(to("/search", { query: name }));
    assert.equal(place.value.path, "/search");
    assert.equal(place.value.query.get("query"), name);
  });
}

test("whoever looks at the place is told where somebody goes", async () => {
  const seen: string[] = [];
  const end = place.observe(({ path }) => seen.push(path));
  await goTo("/cart");
  go(to("/orders"));
  await goTo(whereabouts());
  end();
  await goTo("/chat");
  assert.deepEqual(seen, ["/cart", "/orders"]);
});
