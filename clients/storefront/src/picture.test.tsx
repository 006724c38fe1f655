import assert from "node:assert/strict";
import test from "node:test";

import { ItemPicture } from "./picture.js";
import { show } from "./testing/public.js";

async function pictureOf(sku: string): Promise<string> {
  const page = () => <ItemPicture sku={sku} />;
  await show("/", { what: "A picture", pages: [{ path: "/", page }] });
  const picture = document.querySelector("main svg");
  assert.equal(picture?.getAttribute("aria-hidden"), "true");
  return picture?.outerHTML ?? "";
}

test("an item has the same picture each time, and another has another", async () => {
  const first = await pictureOf("KIT-BRD-0008");
  assert.equal(await pictureOf("KIT-BRD-0008"), first);
  assert.notEqual(await pictureOf("KIT-BRD-0009"), first);
});

for (const sku of ["BOO", "CLO", "ELE", "GAR", "HOM", "KIT", "OUT", "STA", "TOO", "TOY", "of no kind", ""]) {
  test(`an item '${sku}' has a picture in which every number is one`, async () => {
    const picture = await pictureOf(sku);
    assert.match(picture, /class="one"/);
    assert.doesNotMatch(picture, /NaN|undefined|null/);
  });
}
