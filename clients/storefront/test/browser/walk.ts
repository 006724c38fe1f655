/**
 * Walks through the storefront in a browser, as customers do.
 *
 * Usage: node walk.ts SHOP_URL FOLDER_FOR_PICTURES SCENARIO...
 *
 * Each page is looked at in light and dark, on a desktop and a phone, and by axe. Fails when anything
 * is not as it should be. BROWSER is the address of a browser to be used; without it, one is started.
 */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";

import type { Browser } from "puppeteer-core";

import { away } from "./away.ts";
import { withBrowser } from "./browser.ts";
import { itemOf } from "./direct.ts";
import { keyboard } from "./keyboard.ts";
import { refusals } from "./refusals.ts";
import { late, steady } from "./slow.ts";
import { theme } from "./theme.ts";
import {
  complaints,
  fill,
  follow,
  holds,
  look,
  open,
  pictures,
  press,
  scenarios,
  shopUrl,
  shows,
} from "./visitor.ts";

const SKU = "KIT-BRD-0008";
const PASSWORD = "correct horse";

async function walk(browser: Browser): Promise<void> {
  const page = await open(browser);
  const { name } = await itemOf(SKU);
  await page.goto(`${shopUrl}/`);
  await shows(page, "Categories");
  await look(page, "home");

  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "main");

  await follow(page, "/catalogue", "Catalogue");
  await page.waitForSelector(".card a");
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1");
  const before = (await page.$$(".card a")).length;
  await press(page, "Show more");
  await page.waitForFunction((count) => document.querySelectorAll(".card a").length > count, {}, before);
  await look(page, "catalogue");

  await page.locator("input[type=search]").fill("borad oak");
  await page.keyboard.press("Enter");
  await shows(page, "Nothing holds these words.");
  await shows(page, name);
  await look(page, "search");

  await follow(page, `/items/${SKU}`, name);
  await shows(page, "Add to cart");
  await look(page, "item");
  await press(page, "Add to cart");
  await shows(page, "Go to the cart");
  await follow(page, "/cart", "Your cart");
  await shows(page, name);
  await press(page, "One more");
  await holds(page, 2);
  await look(page, "cart");

  const email = `walk-${Date.now()}@example.org`;
  await follow(page, "/sign-in", "Sign in");
  await look(page, "sign-in");
  await follow(page, "/register", "Open an account");
  await fill(page, "email", email);
  await fill(page, "password", PASSWORD);
  await look(page, "register");
  await press(page, "Open an account");
  await shows(page, "Good things, plainly sold");
  await shows(page, "Account");
  // The cart is that of the account from now on.
  await holds(page, 2);

  await follow(page, "/checkout", "Check out");
  await shows(page, `2 × ${name}`);
  await look(page, "checkout");
  await press(page, "Place the order");
  await shows(page, "Order confirmed");
  await look(page, "order");
  await holds(page, 0);
  await follow(page, "/orders", "Your orders");
  await shows(page, "Confirmed");
  await look(page, "orders");
  await page.locator(".orders a").click();
  await press(page, "Cancel the order");
  await shows(page, "Order cancelled");

  await follow(page, "/chat", "Chat with us");
  await press(page, "Begin a chat");
  await fill(page, "text", "Is it made of oak?");
  await press(page, "Send");
  await page.waitForSelector(".message.own");
  await look(page, "chat");
  await press(page, "Close the chat");
  await shows(page, "This chat is closed.");

  await follow(page, "/account", "Your account");
  await shows(page, email);
  await look(page, "account");
  await fill(page, "current", PASSWORD);
  await fill(page, "new", "battery staple");
  await press(page, "Change the password");
  await shows(page, "Your password is changed.");
  await press(page, "Delete the account …");
  await press(page, "Delete it");
  // Only then has the page done all that it does.
  await shows(page, "Good things, plainly sold");
  await shows(page, "Sign in");

  await follow(page, "/no/such/page", "There is no such page");
  await look(page, "missing");
}

const SCENARIOS: Readonly<Record<string, (browser: Browser) => Promise<void>>> = {
  walk,
  refusals,
  keyboard,
  theme,
  late,
  steady,
  away,
};

await mkdir(pictures, { recursive: true });
await withBrowser(async (browser) => {
  for (const scenario of scenarios) {
    const play = SCENARIOS[scenario];
    assert.ok(play, `expected one of ${Object.keys(SCENARIOS)}, got '${scenario}'`);
    await play(browser);
    assert.deepEqual(complaints, []);
  }
});
// Nobody speaks any more.
process.stdin.destroy();
