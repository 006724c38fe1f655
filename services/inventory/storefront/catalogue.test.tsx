import assert from "node:assert/strict";
import { mock, test } from "node:test";

import type { Item, ListItemsResponse } from "shop-client/inventory/v1/api";
import { shop } from "storefront";
import { absent, away, fails, press, screen, show, showPart, testAsking, when } from "storefront/testing";

import { CATEGORIES } from "./category.js";
import { inventory } from "./fragment.js";

const { listItems } = shop.inventory;

const ENTRIES = 30;

function item(sku: string, changed: Partial<Item> = {}): Item {
  const price = { currencyCode: "EUR", minorUnits: 950n };
  return { sku, name: `Item ${sku}`, description: "", category: "CATEGORY_KITCHEN", price, stock: 9, ...changed };
}

function page(items: Item[], nextPageToken = ""): ListItemsResponse {
  return { items, nextPageToken };
}

function several(prefix: string, count: number, changed: Partial<Item> = {}): Item[] {
  return Array.from({ length: count }, (_, at) => item(`${prefix}${at}`, changed));
}

function shown(): (string | null)[] {
  return screen.queryAllByText(/^Item/).map((each) => each.textContent);
}

testAsking({
  asks: listItems,
  answer: page([item("1")]),
  sees: "Item 1",
  what: "The catalogue",
  shows: () => show("/catalogue", inventory),
});

test("items are listed with what there is of them", async () => {
  when(listItems, async () => page([item("1"), item("2", { stock: 3 }), item("3", { stock: 0 })]));
  await show("/catalogue", inventory);
  await screen.findByText("Only 3 left");
  screen.getByText("Sold out");
  assert.deepEqual(shown(), ["Item 1", "Item 2", "Item 3"]);
});

test("an empty catalogue says so", async () => {
  when(listItems, async () => page([]));
  await show("/catalogue", inventory);
  await screen.findByText("There is nothing here yet.");
});

test("more items come below, and how many there are is said", async () => {
  const requests = when(listItems, async (request) =>
    request?.pageToken === "more" ? page(several("b", ENTRIES)) : page(several("a", ENTRIES), "more"),
  );
  await show("/catalogue", inventory);
  await press("Show more");
  assert.equal(shown().length, 2 * ENTRIES);
  assert.equal(requests.length, 2);
  absent(screen.queryByRole("button", { name: "Show more" }));
  await screen.findByText("60 items are shown.", { selector: "[role=status]" });
});

test("more items that cannot be had leave those that are shown", async () => {
  when(listItems, async () => page(several("a", ENTRIES), "more"));
  await show("/catalogue", inventory);
  when(listItems, fails(away()));
  await press("Show more");
  await screen.findByRole("alert");
  assert.equal(shown().length, ENTRIES);
});

test("a category shows its own items alone, and looks on until there are enough", async () => {
  const book = { category: "CATEGORY_BOOKS" } as const;
  const requests = when(listItems, async (request) =>
    request?.pageToken === "more"
      ? page(several("k", ENTRIES))
      : page([item("cookbook", book), item("k")], "more"),
  );
  await show("/catalogue/kitchen", inventory);
  await screen.findByText("Item k0");
  assert.equal(shown().includes("Item cookbook"), false);
  assert.deepEqual(requests.map((each) => each?.query), ["kitchen", "kitchen"]);
  assert.equal(screen.getByRole("link", { name: "Kitchen" }).getAttribute("aria-current"), "page");
});

test("a category that there is not asks for nothing", async () => {
  const requests = when(listItems, async () => page([]));
  await show("/catalogue/spaceships", inventory);
  screen.getByRole("heading", { name: "There is no such category" });
  // What was asked for is not shown.
  absent(screen.queryByText("There is nothing here yet."));
  assert.equal(requests.length, 0);
});

test("the first page leads to every category", async () => {
  await showPart("home", {}, inventory);
  for (const { label, word } of CATEGORIES) {
    assert.equal(screen.getByRole("link", { name: label }).getAttribute("href"), `#/catalogue/${word}`);
  }
});

test("the shelf has some items of one category, which is another one tomorrow", async () => {
  const days: string[] = [];
  for (const now of ["2026-05-31T12:00:00Z", "2026-06-01T12:00:00Z"]) {
    mock.timers.enable({ apis: ["Date"], now: Date.parse(now) });
    const requests = when(listItems, async (request) => {
      const category = CATEGORIES.find(({ word }) => word === request?.query)?.category ?? "";
      return page(several("i", ENTRIES, { category }));
    });
    await showPart("shelf", {}, inventory);
    const link = screen.getByRole("link", { name: /^All in / });
    assert.equal(link.getAttribute("href"), `#/catalogue/${requests[0]?.query}`);
    assert.equal(shown().length, 10);
    days.push(link.textContent ?? "");
    mock.timers.reset();
    await show("/elsewhere");
  }
  assert.notEqual(days[0], days[1]);
});

test("the shelf has items of any kind where the shop has none of the day's", async () => {
  when(listItems, async (request) => page(request?.query ? [] : several("i", 3)));
  await showPart("shelf", {}, inventory);
  assert.deepEqual(shown(), ["Item i0", "Item i1", "Item i2"]);
  absent(screen.queryByRole("link", { name: /^All in / }));
});

test("the shelf of a shop without items is not there", async () => {
  when(listItems, async () => page([]));
  await showPart("shelf", {}, inventory);
  absent(screen.queryByRole("heading"));
});

testAsking({
  asks: listItems,
  answer: page([item("1")]),
  sees: "Item 1",
  what: "The catalogue",
  shows: () => showPart("shelf", {}, inventory),
});
