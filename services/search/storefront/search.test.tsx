import assert from "node:assert/strict";
import test from "node:test";

import type { FoundItem } from "shop-client/search/v1/api";
import { shop } from "storefront";
import { absent, away, fails, fill, goTo, press, screen, show, testAsking, when, whereabouts } from "storefront/testing";

import { search as fragment } from "./fragment.js";

const { search } = shop.search;

function found(sku: string): FoundItem {
  return { sku, name: `Item ${sku}`, price: { currencyCode: "EUR", minorUnits: 950n }, score: 1 };
}

const shows = (): Promise<void> => show("/search?query=oak+board", fragment);

function shown(): (string | null)[] {
  return screen.queryAllByRole("link", { name: /^Item/ }).map((each) => each.textContent);
}

testAsking({
  asks: search,
  answer: { items: [found("1")], didYouMean: "", nextPageToken: "" },
  sees: "Item 1",
  what: "The search",
  shows,
});

test("what is found is listed, the best first, and said", async () => {
  const requests = when(search, async () => ({
    items: [found("2"), found("1")],
    didYouMean: "",
    nextPageToken: "",
  }));
  await shows();
  await screen.findByText("2 items, the best first.");
  assert.deepEqual(shown(), ["Item 2", "Item 1"]);
  await screen.findByText("2 items found.", { selector: "[role=status]" });
  assert.equal(requests[0]?.query, "oak board");
});

test("nothing being found is told, with what to do", async () => {
  when(search, async () => ({ items: [], didYouMean: "", nextPageToken: "" }));
  await shows();
  await screen.findByText("Nothing in the shop fits “oak board”. Try fewer or other words.");
  screen.getByRole("link", { name: "Browse the catalogue" });
});

test("words that were taken for others are named, and lead to those", async () => {
  when(search, async () => ({ items: [found("1")], didYouMean: "oak border", nextPageToken: "" }));
  await shows();
  const link = await screen.findByRole("link", { name: "oak border" });
  assert.equal(link.getAttribute("href"), "#/search?query=oak+border");
});

test("more comes below what was found", async () => {
  const requests = when(search, async (request) =>
    request?.pageToken === "more"
      ? { items: [found("2")], didYouMean: "", nextPageToken: "" }
      : { items: [found("1")], didYouMean: "", nextPageToken: "more" },
  );
  await shows();
  await screen.findByText("1 item so far, the best first.");
  await press("Show more");
  assert.deepEqual(shown(), ["Item 1", "Item 2"]);
  assert.equal(requests.at(-1)?.query, "oak board");
  absent(screen.queryByRole("button", { name: "Show more" }));
});

test("more that cannot be had leaves what was found", async () => {
  when(search, async () => ({ items: [found("1")], didYouMean: "", nextPageToken: "more" }));
  await shows();
  when(search, fails(away()));
  await press("Show more");
  await screen.findByText("The search cannot be reached right now. The rest of the shop works.");
  assert.deepEqual(shown(), ["Item 1"]);
});

test("other words are another search, whose answer is waited for", async () => {
  when(search, async (request) => ({
    items: [found(request?.query ?? "")],
    didYouMean: "",
    nextPageToken: "",
  }));
  await shows();
  await goTo("/search?query=spoon");
  await screen.findByText("Item spoon");
  assert.deepEqual(shown(), ["Item spoon"]);
  screen.getByRole("heading", { name: "Search for “spoon”" });
});

test("what is typed into the header is looked for, without what is around it", async () => {
  await show("/nowhere", fragment);
  when(search, async () => ({ items: [], didYouMean: "", nextPageToken: "" }));
  fill("Search the shop", "  oak & board ");
  screen.getByRole("searchbox").closest("form")?.requestSubmit();
  await screen.findByRole("heading", { name: "Search for “oak & board”" });
});

test("nothing is looked for while nothing is typed", async () => {
  await show("/nowhere", fragment);
  fill("Search the shop", "   ");
  screen.getByRole("searchbox").closest("form")?.requestSubmit();
  assert.equal(whereabouts(), "/nowhere");
});

test("the header shows what is looked for, and nothing at another place", async () => {
  when(search, async () => ({ items: [], didYouMean: "", nextPageToken: "" }));
  await shows();
  screen.getByDisplayValue("oak board");
  await goTo("/nowhere");
  absent(screen.queryByDisplayValue("oak board"));
});
