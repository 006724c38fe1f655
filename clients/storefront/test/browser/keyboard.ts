/** An order without a mouse. */
import assert from "node:assert/strict";

import type { Browser, Page } from "puppeteer-core";

import { holds, isAt, isWhole, look, open, shopUrl, shows } from "./visitor.ts";

const MOST_STOPS = 60;

/** What has the focus, as it is called, and whether one sees that; null for the end of the page. */
function focused(page: Page): Promise<{ name: string; seen: boolean } | null> {
  return page.evaluate(() => {
    const at = document.activeElement;
    if (at === document.body) {
      return null;
    }
    const label = at instanceof HTMLInputElement ? at.labels?.[0]?.textContent : at?.textContent;
    const { outlineStyle, outlineWidth } = getComputedStyle(at ?? document.body);
    const name = at?.getAttribute("aria-label") ?? label ?? "";
    return { name: name.trim(), seen: outlineStyle !== "none" && outlineWidth !== "0px" };
  });
}

/** Press the tabulator key until something has the focus; everything on the way has to be seen. */
async function tabTo(page: Page, wanted: string): Promise<void> {
  const passed: string[] = [];
  for (let stop = 0; stop < MOST_STOPS; stop++) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    assert.ok(at?.seen ?? true, `one does not see that '${at?.name}' has the focus`);
    if (at?.name === wanted) {
      return;
    }
    passed.push(at?.name ?? "the end");
  }
  assert.fail(`no way leads to '${wanted}'; these were passed: ${passed.join(", ")}`);
}

/** Wait until a page is there, and its title has the focus. */
async function arrivesAt(page: Page, title: string): Promise<void> {
  await isAt(page, title);
  await page.waitForFunction(() => document.activeElement?.tagName === "H1");
  await isWhole(page);
}

/** Find, choose, and buy, by keys alone. */
export async function keyboard(browser: Browser): Promise<void> {
  const page = await open(browser);
  await page.goto(`${shopUrl}/`);
  await shows(page, "Categories");
  await tabTo(page, "Skip to the content");
  await tabTo(page, "Search the shop");
  await page.keyboard.type("oak board");
  await page.keyboard.press("Enter");
  await arrivesAt(page, "Search for “oak board”");
  const found = await page.$eval(".card .name", (each) => each.textContent);
  await tabTo(page, found);
  await page.keyboard.press("Enter");
  await arrivesAt(page, found);
  await tabTo(page, "Quantity");
  await page.keyboard.press("ArrowUp");
  await tabTo(page, "Add to cart");
  await page.keyboard.press("Enter");
  await shows(page, "2 in your cart.");
  await tabTo(page, "Go to the cart");
  await page.keyboard.press("Enter");
  await arrivesAt(page, "Your cart");
  await tabTo(page, "One less");
  await page.keyboard.press("Enter");
  await holds(page, 1);
  await tabTo(page, "Check out");
  await page.keyboard.press("Enter");
  await arrivesAt(page, "Check out");
  await tabTo(page, "E-mail address");
  await page.keyboard.type(`keys-${Date.now()}@example.org`);
  await page.keyboard.press("Enter");
  await arrivesAt(page, "Your order");
  await shows(page, "Order confirmed");
  await look(page, "order-of-a-guest");
}
