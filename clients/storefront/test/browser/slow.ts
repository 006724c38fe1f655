/** A slow network, on which nothing is silent and nothing jumps. */
import assert from "node:assert/strict";

import type { Browser, Page } from "puppeteer-core";

import { buy, itemOf } from "./direct.ts";
import { follow, isAt, isWhole, open, PHONE, pictures, shopUrl, shows, slowDown } from "./visitor.ts";

const SKU = "KIT-BRD-0008";
const FAR = { latency: 3_200, throughput: 50_000, slower: 1 };
// A phone of the middle of the range, on a network of the third generation.
const PHONE_OUTSIDE = { latency: 150, throughput: 200_000, slower: 4 };
// Source: https://web.dev/articles/cls, "good".
const MOST_SHIFT = 0.1;

interface LayoutShift extends PerformanceEntry {
  readonly value: number;
  readonly hadRecentInput: boolean;
}

/** An answer that takes long is announced, with something in its place meanwhile. */
export async function late(browser: Browser): Promise<void> {
  const page = await open(browser);
  await page.goto(`${shopUrl}/`);
  await follow(page, "/search?query=spoon", "Search for “spoon”");
  await isWhole(page);
  await slowDown(page, FAR);
  await follow(page, "/search?query=oak", "Search for “oak”");
  await page.waitForSelector(".skeleton");
  await shows(page, "The search is taking longer than usual …");
  await page.screenshot({ path: `${pictures}/search-late.png` });
  await isWhole(page);
  await page.waitForSelector(".card a");
}

/** How far a page moves of itself from when it is opened until it is whole. */
async function shiftOf(page: Page, path: string, title: string): Promise<number> {
  await page.goto("about:blank");
  await page.goto(`${shopUrl}/#${path}`);
  await isAt(page, title);
  await isWhole(page);
  return movedBy(page);
}

/** How far a page has moved of itself since it was opened. */
function movedBy(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const seen: PerformanceEntry[] = [];
    const observer = new PerformanceObserver((list) => seen.push(...list.getEntries()));
    observer.observe({ type: "layout-shift", buffered: true });
    // Two frames, after which whatever was shown is in the list.
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    seen.push(...observer.takeRecords());
    const shifts = seen as LayoutShift[];
    return shifts.reduce((sum, { value, hadRecentInput }) => sum + (hadRecentInput ? 0 : value), 0);
  });
}

/** No page jumps while it comes: what is late has its place before. */
export async function steady(browser: Browser): Promise<void> {
  const { name } = await itemOf(SKU);
  const page = await open(browser);
  await page.setViewport(PHONE);
  await slowDown(page, PHONE_OUTSIDE);
  const shifts: Record<string, number> = {};
  const places = [
    ["/", "Good things, plainly sold"],
    ["/catalogue", "Catalogue"],
    ["/search?query=oak", "Search for “oak”"],
    [`/items/${SKU}`, name],
    ["/cart", "Your cart"],
    ["/checkout", "Check out"],
    ["/sign-in", "Sign in"],
    ["/orders", "Your orders"],
    ["/chat", "Chat with us"],
  ] as const;
  for (const [path, title] of places) {
    shifts[path] = await shiftOf(page, path, title);
  }
  // What was sold is on the first page from now on.
  await buy(SKU, 1);
  shifts["/ with what sells best"] = await shiftOf(page, "/", "Good things, plainly sold");
  // What jumps on purpose is seen to.
  await page.evaluate(() => document.body.style.setProperty("margin-top", "40vh"));
  assert.ok((await movedBy(page)) > MOST_SHIFT);
  for (const [place, shift] of Object.entries(shifts)) {
    assert.ok(shift < MOST_SHIFT, `${place} moves by ${shift.toFixed(3)} of its window`);
  }
}
