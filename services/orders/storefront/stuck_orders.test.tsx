import assert from "node:assert/strict";
import test from "node:test";

import type { StuckOrder } from "shop-client/orders/v1/api";
import { shop } from "storefront";
import { absent, fails, press, refusal, screen, showPart, testAsking, when } from "storefront/testing";

import { orders } from "./fragment.js";

const { listStuckOrders, retryOrder } = shop.ordersDesk;
const NONE = "None: no order has been under way for more than a minute.";

const STUCK: StuckOrder = {
  orderId: "7",
  state: "ORDER_STATE_PENDING",
  placedAt: "2026-05-31T12:00:00Z",
  total: { currencyCode: "EUR", minorUnits: 1_999n },
  since: "2026-05-31T12:00:00Z",
  step: "ORDER_STEP_TAKE_PAYMENT",
  attempts: 3,
  reason: "UNAVAILABLE: payments is not available",
  dueAt: "2026-05-31T12:05:00Z",
};

const { listDeadLetters } = shop.ordersDeadLetters;

async function shows(): Promise<void> {
  when(listDeadLetters, async () => ({ deadLetters: [], nextPageToken: "" }));
  await showPart("desk", {}, orders);
}

testAsking({
  asks: listStuckOrders,
  answer: { orders: [STUCK], nextPageToken: "" },
  sees: "Pending",
  what: "The orders",
  shows,
});

test("that none is stuck is good news", async () => {
  when(listStuckOrders, async () => ({ orders: [], nextPageToken: "" }));
  await shows();
  await screen.findByText(NONE);
});

test("an order says what it waits for, since when, and why", async () => {
  when(listStuckOrders, async () => ({ orders: [STUCK], nextPageToken: "" }));
  await shows();
  await screen.findByText(/Waits for its payment since .*: UNAVAILABLE: payments is not available/);
  screen.getByText(/Failed 3 times in a row; next attempt .* Order 7/);
});

test("an order that ends when it is tried again leaves the list, and how it ended is told", async () => {
  when(listStuckOrders, async () => ({ orders: [STUCK], nextPageToken: "" }));
  await shows();
  const requests = when(retryOrder, async () => ({ state: "ORDER_STATE_CONFIRMED" }));
  await press("Try again now: order 7");
  assert.deepEqual(requests.map(({ orderId }) => orderId), ["7"]);
  await screen.findByText(NONE);
  await screen.findByText("The order has ended: Confirmed.");
  assert.equal(document.activeElement?.textContent, "Stuck orders");
});

test("an order that is still under way is shown as it is then", async () => {
  when(listStuckOrders, async () => ({ orders: [STUCK], nextPageToken: "" }));
  await shows();
  const again = { ...STUCK, attempts: 4 };
  when(retryOrder, async () => ({ state: "ORDER_STATE_PENDING", stuck: again }));
  when(listStuckOrders, async () => ({ orders: [again], nextPageToken: "" }));
  await press("Try again now: order 7");
  await screen.findByText(/Failed 4 times in a row/);
});

test("an order that is gone is said to be", async () => {
  when(listStuckOrders, async () => ({ orders: [STUCK], nextPageToken: "" }));
  await shows();
  when(retryOrder, fails(refusal(retryOrder, { name: "OrderNotFound", fields: { orderId: "7" } })));
  await press("Try again now: order 7");
  await screen.findByText("There is no such order any more.");
  absent(screen.queryByText(NONE));
});
