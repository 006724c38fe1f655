import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import type { Order, PlaceOrderError } from "shop-client/orders/v1/api";
import { shop, visit } from "storefront";
import {
  absent,
  away,
  fails,
  fill,
  never,
  press,
  refusal,
  screen,
  show,
  showPart,
  when,
  whereabouts,
} from "storefront/testing";

import { orders } from "./fragment.js";
import { forgetKey } from "./key.js";

const { placeOrder, getOrder } = shop.orders;

const PLACED: Order = {
  orderId: "7",
  cartId: "c",
  state: "ORDER_STATE_PENDING",
  placedAt: "2026-05-31T12:00:00Z",
  lines: [],
  total: { currencyCode: "EUR", minorUnits: 100n },
  timeline: [],
};

async function shows(): Promise<void> {
  visit.cartId.set("c");
  await show("/checkout", orders);
}

/** Place the order, and give the keys by which the shop would know it again. */
function keysOf(answer: () => Promise<Order>): (string | undefined)[] {
  const keys: (string | undefined)[] = [];
  when(placeOrder, (_, { idempotencyKey }) => {
    keys.push(idempotencyKey);
    return answer();
  });
  return keys;
}

afterEach(forgetKey);

test("who has no cart is led to the catalogue", async () => {
  await show("/checkout", orders);
  await screen.findByText("Your cart is empty.");
});

test("an order is placed with the address that was given, and its page is shown", async () => {
  await shows();
  fill(/E-mail address/, "ann@example.org");
  const requests = when(placeOrder, async () => PLACED);
  when(getOrder, never);
  await press("Place the order");
  assert.deepEqual(requests, [{ cartId: "c", email: "ann@example.org" }]);
  assert.equal(whereabouts(), "/orders/7");
  await screen.findByText("Your order is placed: Pending.", { selector: "[role=status]" });
});

test("who is signed in finds the address filled in", async () => {
  await shows();
  visit.account.set({ email: "ann@example.org", roles: [] });
  await screen.findByDisplayValue("ann@example.org");
});

test("an order is placed once while it is under way, however often the button is pressed", async () => {
  await shows();
  const requests = when(placeOrder, never);
  await press("Place the order");
  await press("Placing your order …");
  assert.equal(requests.length, 1);
});

test("an order of which nobody knows whether it arrived is asked for again with the same key", async () => {
  await shows();
  const lost = keysOf(fails(away()));
  await press("Place the order");
  await screen.findByText(/We do not know whether your order has arrived/);
  when(getOrder, never);
  const again = keysOf(async () => PLACED);
  await press("Place the order");
  assert.ok(lost[0]);
  assert.deepEqual(again, lost);
});

test("a cart that was ordered already leads to its order", async () => {
  await shows();
  const before = { name: "CartAlreadyOrdered", fields: { cartId: "c", orderId: "6" } } as const;
  when(placeOrder, fails(refusal(placeOrder, before)));
  when(getOrder, never);
  await press("Place the order");
  assert.equal(whereabouts(), "/orders/6");
});

for (const [error, words] of [
  [{ name: "CartEmpty", fields: { cartId: "c" } }, "Your cart is empty. Put something into it first."],
  [{ name: "CartNotFound", fields: { cartId: "c" } }, "Your cart is empty. Put something into it first."],
  [
    { name: "ItemUnavailable", fields: { skus: ["KIT/1"] } },
    "Your cart holds items that are no longer sold. Take them out first.",
  ],
  [{ name: "InvalidEmail", fields: { maximum: 254 } }, "Nobody can be written to at this e-mail address."],
] satisfies [PlaceOrderError, string][]) {
  test(`a refusal with ${error.name} is told, and the next try is another order`, async () => {
    await shows();
    const refused = keysOf(fails(refusal(placeOrder, error)));
    await press("Place the order");
    await screen.findByText(words);
    await press("Place the order");
    assert.equal(new Set(refused).size, 2);
  });
}

test("a cart that can be ordered leads to checking out, and another says why not", async () => {
  await showPart("cart", { cartId: "c", orderable: true }, orders);
  const link = screen.getByRole("link", { name: "Check out" });
  assert.equal(link.getAttribute("href"), "#/checkout");
});

test("a cart that cannot be ordered says what to do", async () => {
  await showPart("cart", { cartId: "c", orderable: false }, orders);
  screen.getByText(/Not all of it can be bought now/);
  absent(screen.queryByRole("link", { name: "Check out" }));
});

test("an account leads to its orders", async () => {
  await showPart("account", {}, orders);
  const link = screen.getByRole("link", { name: /What you have ordered/ });
  assert.equal(link.getAttribute("href"), "#/orders");
});
