/** Light and dark, as the system has it and as somebody chooses. */
import assert from "node:assert/strict";

import type { Browser, Page } from "puppeteer-core";

import { open, press, shopUrl, shows } from "./visitor.ts";

/** How light the page is, from 0 to 255. */
function lightness(page: Page): Promise<number> {
  return page.evaluate(() => {
    const colour = getComputedStyle(document.documentElement).backgroundColor;
    return Math.max(...(colour.match(/[\d.]+/g) ?? []).map(Number));
  });
}

async function systemPrefers(page: Page, colours: "light" | "dark"): Promise<void> {
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: colours }]);
}

/** The button follows the system, and what was chosen outlives the page whatever the system prefers. */
export async function theme(browser: Browser): Promise<void> {
  const page = await open(browser);
  await systemPrefers(page, "dark");
  await page.goto(`${shopUrl}/`);
  await shows(page, "Light colours");
  assert.ok((await lightness(page)) < 64);
  await systemPrefers(page, "light");
  await shows(page, "Dark colours");
  assert.ok((await lightness(page)) > 192);

  await press(page, "Dark colours");
  await shows(page, "Light colours");
  assert.ok((await lightness(page)) < 64);
  // Before any script of the page but the first has run.
  await page.reload({ waitUntil: "domcontentloaded" });
  assert.ok((await lightness(page)) < 64);
  await shows(page, "Light colours");
}
