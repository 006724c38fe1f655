import assert from "node:assert/strict";
import test from "node:test";

import type { Item } from "shop-client/inventory/v1/api";
import { shop } from "storefront";
import { away, fails, fill, press, refusal, screen, showPart, when } from "storefront/testing";

import { inventory } from "./fragment.js";

const { getItem, listItems } = shop.inventory;
const { setStock } = shop.inventoryDesk;

const BOARD: Item = {
  sku: "KIT-BRD-0008",
  name: "Board",
  description: "Of oak.",
  category: "CATEGORY_KITCHEN",
  price: { currencyCode: "EUR", minorUnits: 4_900n },
  stock: 5,
};

const UNITS = "Units that can be bought";

async function finds(words: string): Promise<void> {
  await showPart("desk", {}, inventory);
  await screen.findByLabelText("Item");
  fill("Item", words);
  await press("Find");
}

test("an item is found by its SKU, in whatever letters", async () => {
  const requests = when(getItem, async () => BOARD);
  await finds(" kit-brd-0008 ");
  await screen.findByText("KIT-BRD-0008, 5 units");
  assert.deepEqual(requests.map(({ sku }) => sku), ["KIT-BRD-0008"]);
});

test("items are found by words, or none is", async () => {
  when(getItem, fails(refusal(getItem, { name: "ItemNotFound", fields: { sku: "OAK" } })));
  const requests = when(listItems, async () => ({ items: [BOARD], nextPageToken: "" }));
  await finds("oak");
  await screen.findByText("KIT-BRD-0008, 5 units");
  assert.equal(requests[0]?.query, "oak");
  when(listItems, async () => ({ items: [], nextPageToken: "" }));
  await press("Find");
  await screen.findByText("No item has this SKU or these words.");
});

test("a catalogue that is away says so", async () => {
  when(getItem, fails(away()));
  await finds("oak");
  await screen.findByText("The catalogue cannot be reached right now. The rest of the shop works.");
});

test("stock is set as it was seen", async () => {
  when(getItem, async () => BOARD);
  await finds(BOARD.sku);
  const requests = when(setStock, async ({ stock }) => ({ ...BOARD, stock: stock ?? 0 }));
  fill(UNITS, "12");
  await press("Set");
  assert.deepEqual(requests, [{ sku: BOARD.sku, stock: 12, expectedStock: 5 }]);
  await screen.findByText("Set: 12 units can be bought.");
  fill(UNITS, "0");
  await press("Set");
  assert.equal(requests[1]?.expectedStock, 12);
});

test("stock that was bought meanwhile is told, and is what the next setting goes by", async () => {
  when(getItem, async () => BOARD);
  await finds(BOARD.sku);
  const fields = { sku: BOARD.sku, stock: 3, expectedStock: 5 };
  when(setStock, fails(refusal(setStock, { name: "StockChanged", fields })));
  fill(UNITS, "12");
  await press("Set");
  await screen.findByText("Meanwhile there are 3 units. Set it once more, if that is still right.");
  const requests = when(setStock, async () => ({ ...BOARD, stock: 12 }));
  await press("Set");
  assert.deepEqual(requests, [{ sku: BOARD.sku, stock: 12, expectedStock: 3 }]);
});
