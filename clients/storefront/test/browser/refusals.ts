/** What the shop refuses, and how customers are told. */
import assert from "node:assert/strict";

import type { Browser, Page } from "puppeteer-core";

import { buy, fillCart, type Item, register, someItem } from "./direct.ts";
import { fill, follow, holds, isAt, look, open, press, shopUrl, shows } from "./visitor.ts";

// Of the provider that a shop has which nobody has configured.
const DECLINED_ABOVE = 1_000_000;
const PASSWORD = "correct horse";

async function putIntoCart(page: Page, { sku, name }: Item, quantity: number): Promise<void> {
  await follow(page, `/items/${sku}`, name);
  await fill(page, "quantity", String(quantity));
  await press(page, "Add to cart");
  await shows(page, `${quantity} in your cart.`);
}

async function order(page: Page): Promise<void> {
  await follow(page, "/checkout", "Check out");
  await press(page, "Place the order");
  await isAt(page, "Your order");
}

/** Wait until the timeline of an order is as it should be. */
async function hasHappened(page: Page, ...events: string[]): Promise<void> {
  await shows(page, events.at(-1) ?? "");
  const told = await page.$$eval(".timeline li > span", (all) => all.map((each) => each.textContent));
  assert.deepEqual(told, events);
}

async function wrongPassword(page: Page): Promise<void> {
  const email = `refused-${Date.now()}@example.org`;
  await register(email, PASSWORD);
  await follow(page, "/sign-in?next=/cart", "Sign in");
  await fill(page, "email", email);
  await fill(page, "password", "wrong horse");
  await press(page, "Sign in");
  await shows(page, "The e-mail address or the password is wrong.");
  const kept = await page.$$eval("main input", (all) => all.map(({ value }) => value));
  assert.deepEqual(kept, [email, "wrong horse"]);
  await holds(page, 1);
  await look(page, "wrong-password");
  await fill(page, "password", PASSWORD);
  await press(page, "Sign in");
  await isAt(page, "Your cart");
  await holds(page, 1);
}

async function paymentDeclined(page: Page): Promise<void> {
  await putIntoCart(page, await someItem(({ stock }) => stock > 5), 1);
  const cartId = await page.evaluate(() => localStorage.getItem("cart"));
  await fillCart(cartId ?? assert.fail("the page keeps no cart"), DECLINED_ABOVE);
  await order(page);
  await shows(page, "The payment was declined");
  await hasHappened(
    page,
    "Order placed",
    "Items set aside for you",
    "Payment declined",
    "Items put back on the shelf",
    "Order rejected",
  );
  await look(page, "order-declined");
}

async function outOfStock(page: Page): Promise<void> {
  const scarce = await someItem(({ stock }) => stock >= 2 && stock <= 5);
  await putIntoCart(page, scarce, scarce.stock);
  await buy(scarce.sku, 1);
  await follow(page, "/cart", "Your cart");
  await shows(page, `Only ${scarce.stock - 1} left`);
  await shows(page, "Not all of it can be bought now.");
  await look(page, "cart-too-few");
  // As somebody does who was on that page already.
  await order(page);
  const left = scarce.stock === 2 ? "1 unit" : `${scarce.stock - 1} units`;
  await shows(page, `There was not enough in stock: ${left} of ${scarce.name} instead of ${scarce.stock}.`);
  await hasHappened(page, "Order placed", "Not enough in stock", "Order rejected");
  await look(page, "order-out-of-stock");
}

/** A wrong password, a payment that is declined, and items that somebody else was faster to buy. */
export async function refusals(browser: Browser): Promise<void> {
  const page = await open(browser);
  await page.goto(`${shopUrl}/`);
  await putIntoCart(page, await someItem(({ stock }) => stock > 5), 1);
  await wrongPassword(page);
  await paymentDeclined(await fresh(browser));
  await outOfStock(await fresh(browser));
}

async function fresh(browser: Browser): Promise<Page> {
  const page = await open(browser);
  await page.goto(`${shopUrl}/`);
  return page;
}
