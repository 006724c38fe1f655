/**
 * Walks through the storefront in a browser, as customers do.
 *
 * Usage: node walk.ts SHOP_URL FOLDER_FOR_PICTURES SCENARIO
 *
 * Each page is looked at in light and dark, on a desktop and a phone, and by axe. Fails when anything
 * is not as it should be: what axe finds, what scripts throw, what a browser refuses.
 */
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";

import chromium from "@sparticuz/chromium";
import puppeteer, { type Browser, type Page } from "puppeteer-core";

const [shopUrl = "", pictures = "", scenario = ""] = process.argv.slice(2);

const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 360, height: 740 };
const WAIT_MS = 15_000;

const AXE = await readFile(
  new URL("./node_modules/axe-core/axe.min.js", import.meta.url),
  "utf-8",
);

interface Finding {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What must not happen in any page. */
const complaints: string[] = [];

async function open(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(WAIT_MS);
  page.on("pageerror", (error) => complaints.push(`thrown: ${error}`));
  page.on("console", (message) => {
    // Answers that are no success are told by the page.
    if (message.type() === "error" && !message.text().includes("Failed to load resource")) {
      complaints.push(`console: ${message.text()}`);
    }
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(shopUrl)) {
      complaints.push(`from elsewhere: ${request.url()}`);
    }
  });
  await page.setViewport(DESKTOP);
  return page;
}

/** Wait until a text is shown. */
async function shows(page: Page, text: string): Promise<void> {
  await page.waitForFunction(
    (wanted) => document.body.innerText.includes(wanted),
    { timeout: WAIT_MS },
    text,
  ).catch(async () => {
    const shown = await page.evaluate(() => document.body.innerText);
    assert.fail(`waited in vain for '${text}'; shown is:\n${shown}`);
  });
}

async function follow(page: Page, path: string, title: string): Promise<void> {
  await page.evaluate((address) => location.assign(address), `#${path}`);
  await page.waitForFunction(
    (wanted) => document.querySelector("h1")?.textContent === wanted,
    { timeout: WAIT_MS },
    title,
  );
}

async function press(page: Page, label: string): Promise<void> {
  await page.locator(`::-p-aria([name="${label}"][role="button"])`).click();
}

async function findings(page: Page, where: string): Promise<string[]> {
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: Finding[] }> };
    };
    return (await axe.run()).violations;
  });
  return violations.map(
    ({ id, nodes }) => `${where}: ${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join("; ")}`,
  );
}

/** Look at a page in every way, and keep a picture of each. */
async function look(page: Page, name: string): Promise<void> {
  await page.waitForFunction(() => !document.querySelector(".skeleton"), { timeout: WAIT_MS });
  // Not as an element of the page, whose policy forbids scripts within it.
  await page.evaluate(AXE);
  for (const [device, viewport] of [["desktop", DESKTOP], ["phone", PHONE]] as const) {
    await page.setViewport(viewport);
    for (const colours of ["light", "dark"] as const) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: colours }]);
      const where = `${name}-${device}-${colours}`;
      complaints.push(...(await findings(page, where)));
      const wider = await page.evaluate(
        () => document.documentElement.scrollWidth - innerWidth,
      );
      assert.ok(wider <= 0, `${where} is ${wider} px wider than its window`);
      await page.screenshot({ path: `${pictures}/${where}.png`, fullPage: true });
    }
  }
  await page.emulateMediaFeatures([]);
  await page.setViewport(DESKTOP);
}

const SKU = "KIT-BRD-0008";
const PASSWORD = "correct horse";

async function nameOfItem(): Promise<string> {
  const answer = await fetch(`${shopUrl}/v1/inventory/${SKU}`);
  return ((await answer.json()) as { name: string }).name;
}

async function walk(browser: Browser): Promise<void> {
  const page = await open(browser);
  const name = await nameOfItem();
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
  await page.waitForFunction(() => document.querySelector(".cart-link .count")?.textContent === "2");
  await look(page, "cart");

  const email = `walk-${Date.now()}@example.org`;
  await follow(page, "/sign-in", "Sign in");
  await look(page, "sign-in");
  await follow(page, "/register", "Open an account");
  await page.locator("input[name=email]").fill(email);
  await page.locator("input[name=password]").fill(PASSWORD);
  await look(page, "register");
  await press(page, "Open an account");
  await shows(page, "Good things, plainly sold");
  await shows(page, "Account");
  // The cart is that of the account from now on.
  await page.waitForFunction(() => document.querySelector(".cart-link .count")?.textContent === "2");

  await follow(page, "/checkout", "Check out");
  await shows(page, `2 × ${name}`);
  await look(page, "checkout");
  await press(page, "Place the order");
  await shows(page, "Order confirmed");
  await look(page, "order");
  await page.waitForFunction(() => document.querySelector(".cart-link .count")?.textContent === "0");
  await follow(page, "/orders", "Your orders");
  await shows(page, "Confirmed");
  await look(page, "orders");
  await page.locator(".orders a").click();
  await press(page, "Cancel the order");
  await shows(page, "Order cancelled");

  await follow(page, "/chat", "Chat with us");
  await press(page, "Begin a chat");
  await page.locator("textarea").fill("Is it made of oak?");
  await press(page, "Send");
  await page.waitForSelector(".message.own");
  await look(page, "chat");
  await press(page, "Close the chat");
  await shows(page, "This chat is closed.");

  await follow(page, "/account", "Your account");
  await shows(page, email);
  await look(page, "account");
  await page.locator("input[name=current]").fill(PASSWORD);
  await page.locator("input[name=new]").fill("battery staple");
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

/** A service goes and comes back, as lines on the standard input say. */
async function away(browser: Browser): Promise<void> {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const page = await open(browser);
  const name = await nameOfItem();
  console.log("open");
  await lines.next(); // inventory is stopped
  await page.goto(`${shopUrl}/#/items/${SKU}`);
  await shows(page, "The catalogue cannot be reached right now. The rest of the shop works.");
  await look(page, "catalogue-away");
  await follow(page, "/register", "Open an account");
  await page.locator("input[name=email]").fill(`away-${Date.now()}@example.org`);
  await page.locator("input[name=password]").fill(PASSWORD);
  await press(page, "Open an account");
  await shows(page, "Good things, plainly sold");
  await shows(page, "Account");
  await follow(page, `/items/${SKU}`, `Item ${SKU}`);
  await shows(page, "Try again");
  console.log("seen");
  await lines.next(); // inventory is back
  await press(page, "Try again");
  await shows(page, name);
}

/** A network of a phone in a place far away. */
async function slow(browser: Browser): Promise<void> {
  const page = await open(browser);
  const session = await page.createCDPSession();
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 3_000,
    downloadThroughput: 50_000,
    uploadThroughput: 20_000,
  });
  await page.goto(`${shopUrl}/`, { waitUntil: "domcontentloaded" });
  await page.waitForSelector(".skeleton");
  await shows(page, "The first page is taking longer than usual");
  await page.screenshot({ path: `${pictures}/home-slow.png` });
  await shows(page, "Categories");
  await page.waitForFunction(() => !document.querySelector(".skeleton"));
}

const SCENARIOS: Readonly<Record<string, (browser: Browser) => Promise<void>>> = {
  walk,
  away,
  slow,
};

await mkdir(pictures, { recursive: true });
const browser = await puppeteer.launch({
  args: chromium.args,
  executablePath: await chromium.executablePath(),
  headless: "shell",
});
try {
  const play = SCENARIOS[scenario];
  assert.ok(play, `expected one of ${Object.keys(SCENARIOS)}, got '${scenario}'`);
  await play(browser);
  assert.deepEqual(complaints, []);
} finally {
  await browser.close();
}
// Nobody speaks any more.
process.stdin.destroy();
