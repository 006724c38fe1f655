/**
 * What a visitor of the storefront does in a browser, and what must not happen meanwhile.
 *
 * Whatever is not as it should be is a complaint: what axe finds, what scripts throw, what a browser
 * refuses, what comes from elsewhere.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import type { Browser, CDPSession, Page } from "puppeteer-core";

/** Where the shop is, where pictures go, and what is to be done. */
export const [shopUrl = "", pictures = "", ...scenarios] = process.argv.slice(2);

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 360, height: 740 };
export const WAIT_MS = 15_000;

const AXE = await readFile(
  new URL("./node_modules/axe-core/axe.min.js", import.meta.url),
  "utf-8",
);

interface Finding {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What must not happen in any page. */
export const complaints: string[] = [];

/** Open a window of somebody who was never here. */
export async function open(browser: Browser): Promise<Page> {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
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
export async function shows(page: Page, text: string): Promise<void> {
  await page.waitForFunction(
    (wanted) => document.body.innerText.includes(wanted),
    { timeout: WAIT_MS },
    text,
  ).catch(async () => {
    const shown = await page.evaluate(() => document.body.innerText);
    assert.fail(`waited in vain for '${text}'; shown is:\n${shown}`);
  });
}

/** Wait until a page of a title is shown. */
export async function isAt(page: Page, title: string): Promise<void> {
  await page.waitForFunction(
    (wanted) => document.querySelector("h1")?.textContent === wanted,
    { timeout: WAIT_MS },
    title,
  ).catch(async () => {
    const shown = await page.evaluate(() => document.body.innerText);
    assert.fail(`waited in vain for the page '${title}'; shown is:\n${shown}`);
  });
}

/** Go to a place as a link does. */
export async function follow(page: Page, path: string, title: string): Promise<void> {
  await page.evaluate((address) => location.assign(address), `#${path}`);
  await isAt(page, title);
}

/** Press the button of a label. */
export async function press(page: Page, label: string): Promise<void> {
  await page.locator(`::-p-aria([name="${label}"][role="button"])`).click();
}

/** Fill the field of a name. */
export async function fill(page: Page, name: string, text: string): Promise<void> {
  await page.locator(`main [name=${name}]`).fill(text);
}

/** Wait until the header says how many units the cart holds. */
export async function holds(page: Page, units: number): Promise<void> {
  await page.waitForFunction(
    (wanted) => document.querySelector(".cart-link .count")?.textContent === wanted,
    { timeout: WAIT_MS },
    String(units),
  );
}

/** Wait until nothing stands in the place of what is still to come. */
export async function isWhole(page: Page): Promise<void> {
  await page.waitForFunction(() => !document.querySelector(".skeleton"), { timeout: WAIT_MS });
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

const EVERY_WAY = [
  { device: "desktop", viewport: DESKTOP, colours: "light" },
  { device: "phone", viewport: PHONE, colours: "dark" },
  { device: "desktop", viewport: DESKTOP, colours: "dark" },
  { device: "phone", viewport: PHONE, colours: "light" },
] as const;
// What was looked at in every way in another shop is looked at in two of them.
const WAYS = process.env["LOOKS"] === "few" ? EVERY_WAY.slice(0, 2) : EVERY_WAY;

/** Look at a page in light and dark, on a desktop and a phone, and keep a picture of each. */
export async function look(page: Page, name: string): Promise<void> {
  await isWhole(page);
  // Not as an element of the page, whose policy forbids scripts within it.
  await page.evaluate(AXE);
  for (const { device, viewport, colours } of WAYS) {
    await page.setViewport(viewport);
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: colours }]);
    const where = `${name}-${device}-${colours}`;
    complaints.push(...(await findings(page, where)));
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wider <= 0, `${where} is ${wider} px wider than its window`);
    await page.screenshot({ path: `${pictures}/${where}.png`, fullPage: true });
  }
  await page.emulateMediaFeatures([]);
  await page.setViewport(DESKTOP);
}

/** How fast a network and a processor are. */
export interface Speed {
  /** Milliseconds until an answer begins. */
  readonly latency: number;
  /** Bytes in a second. */
  readonly throughput: number;
  /** How many times slower the processor is. */
  readonly slower: number;
}

/** Let a page be on a slow network and a slow machine. */
export async function slowDown(page: Page, { latency, throughput, slower }: Speed): Promise<CDPSession> {
  const session = await page.createCDPSession();
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency,
    downloadThroughput: throughput,
    uploadThroughput: throughput,
  });
  await session.send("Emulation.setCPUThrottlingRate", { rate: slower });
  return session;
}
