import assert from "node:assert/strict";
import test from "node:test";

import type { Order, OrderEvent, Rejection } from "shop-client/orders/v1/api";
import { shop, visit } from "storefront";
import {
  absent,
  away,
  fails,
  never,
  press,
  refusal,
  screen,
  show,
  stopClock,
  testAsking,
  when,
  within,
} from "storefront/testing";

import { orders } from "./fragment.js";

const { getOrder, cancelOrder } = shop.orders;

const PRICE = { currencyCode: "EUR", minorUnits: 1_250n };
const TOTAL = { currencyCode: "EUR", minorUnits: 2_500n };

function order(changed: Partial<Order> = {}): Order {
  return {
    orderId: "7",
    cartId: "c",
    state: "ORDER_STATE_CONFIRMED",
    placedAt: "2026-05-31T12:00:00Z",
    lines: [{ sku: "KIT/1", name: "Oak board", quantity: 2, unitPrice: PRICE, lineTotal: TOTAL }],
    total: TOTAL,
    timeline: timeline("ORDER_EVENT_PLACED", "ORDER_EVENT_CONFIRMED"),
    ...changed,
  };
}

function timeline(...events: OrderEvent[]): Order["timeline"] {
  return events.map((event) => ({ at: "2026-05-31T12:00:00Z", event }));
}

const shows = (): Promise<void> => show("/orders/7", orders);

testAsking({ asks: getOrder, answer: order(), sees: "Order confirmed", what: "The orders", shows });

test("an order shows its state, its items, its total and what has happened, in order", async () => {
  when(getOrder, async () => order());
  await shows();
  await screen.findByText("Confirmed");
  const item = screen.getByRole("link", { name: "Oak board" });
  assert.equal(item.getAttribute("href"), "#/items/KIT%2F1");
  screen.getByText("2 × €12.50");
  assert.equal(screen.getAllByText("€25.00").length, 2);
  const history = within(screen.getByRole("region", { name: "What has happened" }));
  const said = history.getAllByRole("listitem").map((each) => each.firstElementChild?.textContent);
  assert.deepEqual(said, ["Order placed", "Order confirmed"]);
});

test("an order that is nobody's, or somebody else's, is not there", async () => {
  when(getOrder, fails(refusal(getOrder, { name: "OrderNotFound", fields: { orderId: "7" } })));
  await shows();
  await screen.findByText("There is no such order, or it is of another account.");
});

for (const [rejection, words] of [
  [
    { reason: "REJECTION_REASON_OUT_OF_STOCK", shortItems: [{ sku: "KIT/1", ordered: 2, available: 1 }] },
    "There was not enough in stock: 1 unit of Oak board instead of 2.",
  ],
  [
    { reason: "REJECTION_REASON_PAYMENT_DECLINED", declineReason: "the card has expired" },
    "The payment was declined: the card has expired.",
  ],
  [{ reason: "REJECTION_REASON_PAYMENT_DECLINED" }, "The payment was declined."],
  [
    { reason: "REJECTION_REASON_TIMED_OUT" },
    "Stock or payment could not be had in time. Nothing was charged.",
  ],
  [{ reason: "REJECTION_REASON_FAILED" }, "Something is wrong with the shop. Nothing was charged."],
] satisfies [Partial<Rejection>, string][]) {
  test(`an order that was rejected says why: ${words}`, async () => {
    const whole = { shortItems: [], declineReason: "", ...rejection };
    when(getOrder, async () => order({ state: "ORDER_STATE_REJECTED", rejection: whole }));
    await shows();
    await screen.findByText(words);
    screen.getByText("Rejected");
    absent(screen.queryByRole("button", { name: "Cancel the order" }));
  });
}

test("an order that is under way is looked at again until it is not, and its end is said", async () => {
  const pass = stopClock();
  const requests = when(getOrder, async () => order({ state: "ORDER_STATE_PENDING" }));
  await shows();
  screen.getByText("Pending");
  const news = visit.cartNews.value;
  await pass(3_000);
  assert.ok(requests.length >= 3, `asked ${requests.length} times in three seconds`);
  when(getOrder, async () => order());
  await pass(1_500);
  screen.getByText("Confirmed");
  screen.getByText("Your order: Confirmed.", { selector: "[role=status]" });
  // The cart looks what it still holds.
  assert.ok(visit.cartNews.value > news);
  const again = when(getOrder, never);
  await pass(3_000);
  assert.equal(again.length, 0);
});

test("an order is cancelled", async () => {
  when(getOrder, async () => order());
  await shows();
  const requests = when(cancelOrder, async () =>
    order({ state: "ORDER_STATE_CANCELLED", timeline: timeline("ORDER_EVENT_CANCELLED") }),
  );
  await press("Cancel the order");
  await screen.findByText("Order cancelled");
  assert.deepEqual(requests, [{ orderId: "7" }]);
  absent(screen.queryByRole("button", { name: "Cancel the order" }));
});

test("an order that cannot be cancelled says why", async () => {
  when(getOrder, async () => order());
  await shows();
  const tooLate = refusal(cancelOrder, { name: "OrderAlreadyRejected", fields: { orderId: "7" } });
  when(cancelOrder, fails(tooLate));
  await press("Cancel the order");
  await screen.findByText("The order was rejected meanwhile; there is nothing to cancel.");
  when(cancelOrder, fails(away()));
  await press("Cancel the order");
  await screen.findByText("The orders cannot be reached right now. The rest of the shop works.");
});
