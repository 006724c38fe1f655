import assert from "node:assert/strict";
import test from "node:test";

import type { Cart, CartLine, SetItemQuantityError } from "shop-client/shopping_cart/v1/api";
import { type Fragment, shop, type Slots, tellOfCart, visit } from "storefront";
import {
  absent,
  away,
  fails,
  fill,
  press,
  refusal,
  screen,
  settled,
  show,
  showPart,
  signIn,
  testAsking,
  when,
} from "storefront/testing";

import { shoppingCart as fragment } from "./fragment.js";

const { createCart, getCart, setItemQuantity, removeItem } = shop.shoppingCart;

const OAK: CartLine = {
  sku: "KIT/1",
  quantity: 2,
  name: "Oak board",
  unitPrice: { currencyCode: "EUR", minorUnits: 1_250n },
  lineTotal: { currencyCode: "EUR", minorUnits: 2_500n },
  availability: "AVAILABILITY_IN_STOCK",
  available: 9,
};

function cart(...lines: CartLine[]): Cart {
  const minorUnits = lines.reduce((sum, { lineTotal }) => sum + (lineTotal?.minorUnits ?? 0n), 0n);
  return { cartId: "c", lines, total: { currencyCode: "EUR", minorUnits } };
}

function oak(quantity: number): CartLine {
  return { ...OAK, quantity, lineTotal: { currencyCode: "EUR", minorUnits: 1_250n * BigInt(quantity) } };
}

const GONE = refusal(getCart, { name: "CartNotFound", fields: { cartId: "c" } });

/** Stands where the orders do. */
const others: Fragment = {
  what: "The orders",
  parts: { cart: ({ orderable }: Slots["cart"]) => <p>{orderable ? "Can be ordered" : "Cannot be ordered"}</p> },
};

async function shows(): Promise<void> {
  visit.cartId.set("c");
  await show("/cart", fragment, others);
}

/** How many units the header says that there are. */
function units(): string | null | undefined {
  return screen.getByRole("link", { name: /^Cart/ }).textContent;
}

async function showsItem(stock = 9): Promise<void> {
  await showPart("item", { sku: OAK.sku, name: OAK.name, stock }, fragment);
}

testAsking({ asks: getCart, answer: cart(OAK), sees: "Oak board", what: "The cart", shows });

test("a cart that nothing was put into asks nobody, and leads to the catalogue", async () => {
  await show("/cart", fragment);
  await screen.findByText("Your cart is empty.");
  screen.getByRole("link", { name: "Browse the catalogue" });
  assert.equal(units(), "Cart 0units");
});

test("a cart shows its lines, its total and what can be done with it", async () => {
  when(getCart, async () => cart(OAK));
  await shows();
  const item = await screen.findByRole("link", { name: "Oak board" });
  assert.equal(item.getAttribute("href"), "#/items/KIT%2F1");
  screen.getByText("€12.50 each");
  assert.equal(screen.getAllByText("€25.00").length, 2);
  screen.getByText("Can be ordered");
  assert.equal(units(), "Cart 2units");
});

for (const [availability, words] of [
  ["AVAILABILITY_TOO_FEW", "Only 1 left"],
  ["AVAILABILITY_OUT_OF_STOCK", "Sold out"],
  ["AVAILABILITY_DISCONTINUED", "Not sold any more"],
] as const) {
  test(`a line that cannot be bought says '${words}', and the cart cannot be ordered`, async () => {
    when(getCart, async () => cart({ ...OAK, availability, available: 1 }));
    await shows();
    await screen.findByText(words);
    screen.getByText("Cannot be ordered");
  });
}

test("one more and one less change the quantity, the total and what is said", async () => {
  when(getCart, async () => cart(oak(2)));
  await shows();
  const requests = when(setItemQuantity, async ({ quantity }) => cart(oak(quantity)));
  await press("One more");
  await screen.findByText("3 × Oak board, €37.50 in total.", { selector: "[role=status]" });
  assert.equal(units(), "Cart 3units");
  await press("One less");
  await press("One less");
  assert.deepEqual(requests.map((each) => each.quantity), [3, 2, 1]);
  assert.equal(screen.getByRole("button", { name: "One less" }).getAttribute("aria-disabled"), "true");
  await press("One less");
  assert.equal(requests.length, 3);
});

test("what is removed is out of the cart", async () => {
  when(getCart, async () => cart(OAK));
  await shows();
  const requests = when(removeItem, async () => cart());
  await press("Remove Oak board");
  await screen.findByText("Your cart is empty.");
  assert.deepEqual(requests, [{ cartId: "c", sku: "KIT/1" }]);
});

for (const [error, words] of [
  [
    { name: "OutOfStock", fields: { sku: "KIT/1", requested: 3, available: 2 } },
    "There are 2 left, and the cart would hold 3.",
  ],
  [{ name: "OutOfStock", fields: { sku: "KIT/1", requested: 3, available: 0 } }, "There are none left."],
  [
    { name: "CartFull", fields: { maximum: 100 } },
    "The cart holds 100 different items, the most it can. Take one out first.",
  ],
  [
    { name: "QuantityOutOfRange", fields: { quantity: 1_000, maximum: 999 } },
    "A cart can hold at most 999 of an item.",
  ],
  [{ name: "ItemNotFound", fields: { sku: "KIT/1" } }, "The shop does not sell this item any more."],
] satisfies [SetItemQuantityError, string][]) {
  test(`a refusal with ${error.name} is told beside the line, which stays: ${words}`, async () => {
    when(getCart, async () => cart(oak(2)));
    await shows();
    when(setItemQuantity, fails(refusal(setItemQuantity, error)));
    await press("One more");
    assert.equal((await screen.findByRole("alert")).textContent, words);
    assert.equal(units(), "Cart 2units");
  });
}

test("a cart that cannot be reached when a quantity is changed is told", async () => {
  when(getCart, async () => cart(OAK));
  await shows();
  when(setItemQuantity, fails(away()));
  await press("One more");
  await screen.findByText("The cart cannot be reached right now. The rest of the shop works.");
});

test("a cart that is gone is forgotten", async () => {
  when(getCart, fails(GONE));
  await shows();
  await screen.findByText("Your cart is empty.");
  assert.equal(visit.cartId.value, null);
});

test("what is put into the cart first makes one", async () => {
  when(createCart, async () => cart());
  const requests = when(setItemQuantity, async ({ quantity }) => cart(oak(quantity)));
  await showsItem();
  fill("Quantity", "3");
  await press("Add to cart");
  await screen.findByText(/3 in your cart\./);
  assert.deepEqual(requests, [{ cartId: "c", sku: "KIT/1", quantity: 3 }]);
  assert.equal(visit.cartId.value, "c");
  assert.equal(units(), "Cart 3units");
  await screen.findByText("3 × Oak board put into the cart.", { selector: "[role=status]" });
});

test("what is put into a cart comes beside what it holds", async () => {
  visit.cartId.set("c");
  when(getCart, async () => cart(oak(2)));
  const requests = when(setItemQuantity, async ({ quantity }) => cart(oak(quantity)));
  await showsItem();
  await press("Add to cart");
  assert.deepEqual(requests.map((each) => each.quantity), [3]);
});

test("a cart that has gone meanwhile is replaced by another", async () => {
  visit.cartId.set("c");
  when(getCart, fails(GONE));
  when(createCart, async () => ({ ...cart(), cartId: "fresh" }));
  const requests = when(setItemQuantity, async ({ cartId, quantity }) => ({ ...cart(oak(quantity)), cartId }));
  await showsItem();
  await press("Add to cart");
  assert.deepEqual(requests, [{ cartId: "fresh", sku: "KIT/1", quantity: 1 }]);
  assert.equal(visit.cartId.value, "fresh");
});

test("what is out of stock is refused where it is put into the cart", async () => {
  when(createCart, async () => cart());
  const error = { name: "OutOfStock", fields: { sku: "KIT/1", requested: 1, available: 0 } } as const;
  when(setItemQuantity, fails(refusal(setItemQuantity, error)));
  await showsItem();
  await press("Add to cart");
  assert.equal((await screen.findByRole("alert")).textContent, "There are none left.");
});

test("what is sold out cannot be put into the cart", async () => {
  await showsItem(0);
  screen.getByText("It cannot be bought at the moment.");
  absent(screen.queryByRole("button", { name: "Add to cart" }));
});

test("the number in the header follows who signs in, and what is ordered", async () => {
  when(getCart, async () => cart(oak(2)));
  visit.cartId.set("c");
  // Not on the cart's own page, which asks as well.
  await show("/nowhere", fragment);
  assert.equal(units(), "Cart 2units");
  when(getCart, async () => cart(oak(5)));
  await signIn();
  await settled();
  assert.equal(units(), "Cart 5units");
  when(getCart, async () => cart());
  tellOfCart();
  await settled();
  assert.equal(units(), "Cart 0units");
});

test("the number in the header is no reason to say that the cart is away", async () => {
  visit.cartId.set("c");
  when(getCart, fails(away()));
  await showPart("header", {}, fragment);
  absent(screen.queryByRole("alert"));
});

testAsking({
  asks: getCart,
  answer: cart(OAK),
  sees: "2 × Oak board",
  what: "The cart",
  async shows() {
    visit.cartId.set("c");
    await showPart("checkout", { cartId: "c" }, fragment);
  },
});

test("what would be ordered is shown with its total", async () => {
  visit.cartId.set("c");
  when(getCart, async () => cart(oak(2), { ...oak(1), sku: "2", name: "" }));
  await showPart("checkout", { cartId: "c" }, fragment);
  await screen.findByText("2 × Oak board");
  // What is not known by a name any more is known by its SKU.
  screen.getByText("1 × 2");
  screen.getByText("€37.50");
});
