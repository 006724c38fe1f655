import assert from "node:assert/strict";
import test from "node:test";

import type { Item } from "shop-client/inventory/v1/api";
import { type Fragment, shop, type Slots } from "storefront";
import { fails, never, refusal, screen, show, testAsking, when } from "storefront/testing";

import { inventory } from "./fragment.js";

const { getItem } = shop.inventory;

const OAK: Item = {
  sku: "KIT/1",
  name: "Oak board",
  description: "Of one piece.",
  category: "CATEGORY_KITCHEN",
  price: { currencyCode: "EUR", minorUnits: 4_250n },
  stock: 12,
};

/** Stands where the cart does. */
const cart: Fragment = {
  what: "The cart",
  parts: { item: ({ sku, name, stock }: Slots["item"]) => <p>{`${stock} of ${name} (${sku}) can be bought`}</p> },
};

const shows = (): Promise<void> => show("/items/KIT%2F1", inventory, cart);

testAsking({ asks: getItem, answer: OAK, sees: "Of one piece.", what: "The catalogue", shows });

test("an item shows what it is and costs, and what can be done with it", async () => {
  const requests = when(getItem, async () => OAK);
  await shows();
  await screen.findByRole("heading", { name: "Oak board" });
  for (const text of ["Of one piece.", "€42.50", "In stock", "SKU KIT/1", "12 of Oak board (KIT/1) can be bought"]) {
    screen.getByText(text);
  }
  assert.equal(screen.getByRole("link", { name: "Kitchen" }).getAttribute("href"), "#/catalogue/kitchen");
  assert.equal(document.title, "Oak board · Shop");
  assert.deepEqual(requests, [{ sku: "KIT/1" }]);
});

for (const [stock, words] of [
  [0, "Sold out"],
  [1, "Only 1 left"],
  [5, "Only 5 left"],
  [6, "In stock"],
] as const) {
  test(`of ${stock} units it says '${words}'`, async () => {
    when(getItem, async () => ({ ...OAK, stock }));
    await shows();
    await screen.findByText(words);
  });
}

test("an item that there is not says so", async () => {
  when(getItem, fails(refusal(getItem, { name: "ItemNotFound", fields: { sku: "KIT/1" } })));
  await shows();
  await screen.findByText("The shop sells no such item, or does not sell it any more.");
  screen.getByRole("heading", { name: "Item KIT/1" });
});

test("an item that was left while it was asked for is not asked for any more", async () => {
  const signals: (AbortSignal | undefined)[] = [];
  when(getItem, (_, { signal }) => {
    signals.push(signal);
    return never();
  });
  await shows();
  assert.equal(signals[0]?.aborted, false);
  await show("/nowhere", inventory);
  assert.equal(signals[0]?.aborted, true);
});
