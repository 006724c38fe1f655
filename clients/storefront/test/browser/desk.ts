/** What the shop's people do at their desk, and what others see of it. */
import assert from "node:assert/strict";

import type { Browser, Page } from "puppeteer-core";

import { itemOf } from "./direct.ts";
import { fill, follow, isAt, isWhole, look, open, press, shopUrl, shows } from "./visitor.ts";

const SKU = "KIT-BRD-0008";
const HOME = "Good things, plainly sold";

/** What whoever started this has prepared: an account, and what waits at the desk. */
interface Prepared {
  readonly email: string;
  readonly password: string;
  /** An order that does not come to an end until it is tried again. */
  readonly stuckOrder: string;
  /** The cart of which the carts have a dead letter that can be tried again. */
  readonly cart: string;
}

async function signIn(page: Page, { email, password }: Pick<Prepared, "email" | "password">): Promise<void> {
  await follow(page, "/sign-in", "Sign in");
  await fill(page, "email", email);
  await fill(page, "password", password);
  await press(page, "Sign in");
  await isAt(page, HOME);
}

async function setStock(page: Page): Promise<void> {
  const { name, stock } = await itemOf(SKU);
  await fill(page, "words", SKU.toLowerCase());
  await press(page, "Find");
  await shows(page, `${SKU}, ${stock}`);
  await fill(page, "stock", String(stock + 7));
  await press(page, "Set");
  await shows(page, `Set: ${stock + 7} units can be bought.`);
  assert.equal((await itemOf(SKU)).stock, stock + 7);
  await fill(page, "words", "nothing is called so");
  await press(page, "Find");
  await shows(page, "No item has this SKU or these words.");
  await fill(page, "words", name);
  await press(page, "Find");
  await shows(page, `${SKU}, ${stock + 7}`);
}

/** Somebody who is not of the shop's people finds no way to the desk, and is told so there. */
async function othersAreTold(page: Page): Promise<void> {
  await page.goto(`${shopUrl}/#/desk`);
  await shows(page, "The desk is for the shop's people.");
  const email = `desk-${Date.now()}@example.org`;
  await follow(page, "/register", "Open an account");
  await fill(page, "email", email);
  await fill(page, "password", "correct horse");
  await press(page, "Open an account");
  await isAt(page, HOME);
  await follow(page, "/desk", "Desk");
  await shows(page, `${email} is not among them.`);
  assert.equal(await page.$("nav a[href='#/desk']"), null);
}

/** See to all that waits at the desk. */
export async function desk(browser: Browser): Promise<void> {
  const prepared = JSON.parse(process.env["PREPARED"] ?? "") as Prepared;
  await othersAreTold(await open(browser));

  const page = await open(browser);
  await page.goto(`${shopUrl}/`);
  await signIn(page, prepared);
  await page.locator("nav a[href='#/desk']").click();
  await isAt(page, "Desk");
  await shows(page, prepared.stuckOrder);
  await shows(page, `about ${prepared.cart}`);
  await shows(page, "None: every event was handled.");
  await isWhole(page);
  await setStock(page);
  await look(page, "desk");

  await press(page, `Try again now: order ${prepared.stuckOrder}`);
  await shows(page, "None: no order has been under way for more than a minute.");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Stuck orders");

  await press(page, `Try again: OrderConfirmed about ${prepared.cart}`);
  await page.waitForFunction((cart) => !document.body.innerText.includes(cart), {}, `about ${prepared.cart}`);

  const garbled = "Drop …: OrderConfirmed about garbled";
  const before = (await page.$$(`::-p-aria([name="${garbled}"])`)).length;
  assert.ok(before > 0);
  await press(page, garbled);
  await shows(page, "Drop OrderConfirmed about garbled for good?");
  await look(page, "desk-question");
  await press(page, "Keep it");
  await press(page, garbled);
  await press(page, "Drop it");
  await page.waitForFunction(
    (letters) =>
      [...document.querySelectorAll("button")].filter((each) => each.ariaLabel?.startsWith("Drop …") && each.ariaLabel.endsWith("garbled"))
        .length < letters,
    {},
    before,
  );
  await shows(page, "OrderConfirmed is dropped.");
}
