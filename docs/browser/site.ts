/**
 * Reads the site as somebody does who has opened it from a folder.
 *
 * Usage: node site.ts FOLDER PICTURES PAGE...
 *
 * Writes what it has seen to standard output, as JSON.
 */
import { pathToFileURL } from "node:url";

import type { Page } from "puppeteer-core";

import { excess, findings, launch, look, open } from "./browser.ts";

const [folder = "", pictures = "", ...pages] = process.argv.slice(2);
const root = pathToFileURL(folder).href;
const problems: string[] = [];
const complaints: string[] = [];
const found: Record<string, string[]> = {};
const drawn: Record<string, string[]> = {};

/** Do something in a browser of its own, so that several run at the same time. */
async function browse(work: (page: Page) => Promise<void>): Promise<void> {
  const browser = await launch();
  try {
    const watched = await open(browser, root);
    await work(watched.page);
    complaints.push(...watched.complaints);
  } finally {
    await browser.close();
  }
}

async function readAll(page: Page, scheme: "light" | "dark", width: number): Promise<void> {
  await look(page, scheme, width);
  for (const name of pages) {
    await page.goto(`${root}/${name}`);
    // Diagrams are drawn once the page is there; the text of each is folded below it.
    await page.waitForFunction(() => document.querySelector(".diagram > pre") === null);
    drawn[name] = await page.$$eval(".diagram svg", (all) => all.map((each) => each.textContent ?? ""));
    const words = `${name}, ${scheme}, ${width} px`;
    problems.push(...(await findings(page)).map((each) => `${words}: ${each}`));
    const tooWide = await excess(page);
    if (tooWide > 0) problems.push(`${words}: ${tooWide} px too wide`);
    const picture = `site-${name.replaceAll("/", "-").replace(".html", "")}-${scheme}-${width}` as const;
    await page.screenshot({ path: `${pictures}/${picture}.png` });
    for (const [number, diagram] of (await page.$$(".diagram")).entries()) {
      await diagram.screenshot({ path: `${pictures}/${picture}-diagram-${number}.png` });
    }
  }
}

async function search(page: Page, words: string): Promise<string[]> {
  // Where somebody types into the field already, a stroke is one.
  await page.focus("main");
  await page.keyboard.press("/");
  await page.keyboard.type(words);
  return page.$$eval(".results a", (links) => links.map((link) => link.textContent ?? ""));
}

async function searchAll(page: Page): Promise<string> {
  await look(page, "light", 1280);
  await page.goto(`${root}/index.html`);
  for (const words of ["place order", "outofst", "placed_order", "nats protocol", "xyzzy"]) {
    found[words] = await search(page, words);
    // Empties the field.
    await page.keyboard.press("Escape");
  }
  await page.goto(`${root}/services/home.html`);
  await search(page, "PlaceOrder");
  problems.push(...(await findings(page)).map((each) => `results: ${each}`));
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  return page.url().slice(root.length + 1);
}

let place = "";
await Promise.all([
  browse(async (page) => {
    await readAll(page, "light", 1280);
  }),
  browse(async (page) => {
    await readAll(page, "dark", 360);
    place = await searchAll(page);
  }),
]);
console.log(JSON.stringify({ problems, complaints, found, drawn, place }));
