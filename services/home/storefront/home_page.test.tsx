import assert from "node:assert/strict";
import test from "node:test";

import type { Home, PopularItem } from "shop-client/home/v1/api";
import { type Fragment, shop } from "storefront";
import { absent, away, fails, never, screen, show, signIn, testAsking, when } from "storefront/testing";

import { home } from "./fragment.js";

const { getHome } = shop.home;

const OAK: PopularItem = {
  sku: "KIT/1",
  name: "Oak board",
  price: { currencyCode: "EUR", minorUnits: 4_250n },
  inStock: true,
};

function several(count: number): PopularItem[] {
  return Array.from({ length: count }, (_, at) => ({ ...OAK, sku: `${at}`, name: `Board ${at}` }));
}

/** Stands where the catalogue does. */
const others: Fragment = {
  what: "Another service",
  parts: { home: () => <p>The ways into the shop</p>, shelf: () => <p>Some of what there is</p> },
};

function gathered(changed: Partial<Home> = {}): Home {
  return { recentOrders: [], popularItems: [OAK], missing: [], ...changed };
}

const shows = (): Promise<void> => show("/", home, others);

testAsking({ asks: getHome, answer: gathered(), sees: "Oak board", what: "What sells best", shows });

test("what sells best is shown, and leads to its pages", async () => {
  when(getHome, async () => gathered({ popularItems: [OAK, { ...OAK, sku: "2", name: "Spoon", inStock: false }] }));
  await shows();
  await screen.findByRole("heading", { name: "What sells best" });
  assert.equal(screen.getByRole("link", { name: "Oak board" }).getAttribute("href"), "#/items/KIT%2F1");
  screen.getByText("Sold out");
});

for (const [sold, isFull] of [
  [0, false],
  [1, false],
  [4, false],
  [5, true],
  [12, true],
] as const) {
  test(`with ${sold} items that sell best, the catalogue ${isFull ? "adds nothing" : "fills the page"}`, async () => {
    when(getHome, async () => gathered({ popularItems: several(sold) }));
    await shows();
    assert.equal(screen.queryAllByText(/^Board/).length, sold);
    assert.equal(screen.queryByRole("heading", { name: "What sells best" }) !== null, sold > 0);
    assert.equal(screen.queryByText("Some of what there is") === null, isFull);
  });
}

test("while it waits, nothing stands in that place which would go away again", async () => {
  when(getHome, never);
  await shows();
  screen.getByText("The ways into the shop");
  absent(screen.queryByText("Some of what there is"));
});

test("being away leaves the ways into the shop, and some of what there is", async () => {
  when(getHome, fails(away()));
  await shows();
  await screen.findByRole("alert");
  screen.getByText("The ways into the shop");
  screen.getByText("Some of what there is");
});

test("parts that could not be gathered are named, and the rest is shown", async () => {
  when(getHome, async () => gathered({ missing: ["PART_RECENT_ORDERS", "PART_CART", "PART_OF_TOMORROW"] }));
  await shows();
  await screen.findByText("This cannot be shown right now: your last orders, your cart, PART_OF_TOMORROW.");
  screen.getByText("Oak board");
});

test("who signs in sees the last orders", async () => {
  when(getHome, async () => gathered());
  await shows();
  const total = { currencyCode: "EUR", minorUnits: 1_999n };
  when(getHome, async () =>
    gathered({
      recentOrders: [{ orderId: "7", state: "CONFIRMED", placedAt: "2026-05-31T12:00:00Z", total }],
    }),
  );
  await signIn();
  await screen.findByRole("heading", { name: "Your last orders" });
  screen.getByText("Confirmed");
  screen.getByText("€19.99");
  const link = screen.getByRole("link", { name: /2026/ });
  assert.equal(link.getAttribute("href"), "#/orders/7");
});
