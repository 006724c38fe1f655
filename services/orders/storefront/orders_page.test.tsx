import assert from "node:assert/strict";
import test from "node:test";

import type { OrderState, OrderSummary } from "shop-client/orders/v1/api";
import { shop } from "storefront";
import { absent, away, fails, press, screen, show, signIn, testAsking, when } from "storefront/testing";

import { orders } from "./fragment.js";

const { listOrders } = shop.orders;

function summary(orderId: string, state: OrderState = "ORDER_STATE_CONFIRMED"): OrderSummary {
  const total = { currencyCode: "EUR", minorUnits: 1_999n };
  return { orderId, cartId: `cart-${orderId}`, state, placedAt: "2026-05-31T12:00:00Z", total };
}

async function shows(): Promise<void> {
  await signIn();
  await show("/orders", orders);
}

function linksToOrders(): (string | null)[] {
  return screen.getAllByRole("link", { name: /2026/ }).map((each) => each.getAttribute("href"));
}

testAsking({
  asks: listOrders,
  answer: { orders: [summary("7")], nextPageToken: "" },
  sees: "Confirmed",
  what: "The orders",
  shows,
});

test("who is not signed in is led to signing in, and back", async () => {
  await show("/orders", orders);
  const link = await screen.findByRole("link", { name: "Sign in" });
  assert.equal(link.getAttribute("href"), "#/sign-in?next=%2Forders");
});

test("who has ordered nothing is led to the catalogue", async () => {
  when(listOrders, async () => ({ orders: [], nextPageToken: "" }));
  await shows();
  await screen.findByText("You have not ordered anything yet.");
  const link = screen.getByRole("link", { name: "Browse the catalogue" });
  assert.equal(link.getAttribute("href"), "#/catalogue");
});

test("orders are listed with their state and total, each leading to its page", async () => {
  when(listOrders, async () => ({
    orders: [summary("7"), summary("6", "ORDER_STATE_REJECTED")],
    nextPageToken: "",
  }));
  await shows();
  assert.equal((await screen.findByText("Rejected")).className, "state bad");
  assert.equal(screen.getByText("Confirmed").className, "state good");
  assert.equal(screen.getAllByText("€19.99").length, 2);
  assert.deepEqual(linksToOrders(), ["#/orders/7", "#/orders/6"]);
  absent(screen.queryByRole("button", { name: "Show more" }));
});

test("a state that a newer shop has hides nothing else", async () => {
  when(listOrders, async () => ({
    orders: [summary("7", "ORDER_STATE_ON_A_BOAT")],
    nextPageToken: "",
  }));
  await shows();
  await screen.findByText("In a state that this page does not know");
  screen.getByText("€19.99");
});

test("more orders come below those that are shown, until there are no more", async () => {
  const requests = when(listOrders, async (request) =>
    request?.pageToken === "older"
      ? { orders: [summary("6")], nextPageToken: "" }
      : { orders: [summary("7")], nextPageToken: "older" },
  );
  await shows();
  await press("Show more");
  assert.deepEqual(linksToOrders(), ["#/orders/7", "#/orders/6"]);
  absent(screen.queryByRole("button", { name: "Show more" }));
  assert.deepEqual(requests.map((each) => each?.pageToken ?? ""), ["", "older"]);
});

test("more orders that cannot be had leave those that are shown", async () => {
  when(listOrders, async () => ({ orders: [summary("7")], nextPageToken: "older" }));
  await shows();
  when(listOrders, fails(away()));
  await press("Show more");
  await screen.findByText("The orders cannot be reached right now. The rest of the shop works.");
  assert.deepEqual(linksToOrders(), ["#/orders/7"]);
  when(listOrders, async () => ({ orders: [summary("6")], nextPageToken: "" }));
  await press("Show more");
  assert.deepEqual(linksToOrders(), ["#/orders/7", "#/orders/6"]);
});
