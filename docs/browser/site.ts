/**
 * Reads the site as somebody does who has opened it from a folder.
 *
 * Usage: node site.ts FOLDER PICTURES PAGE...
 *
 * Writes what it has seen to standard output, as JSON.
 */
import { pathToFileURL } from "node:url";

import { excess, findings, launch, look, open } from "./browser.ts";

const [folder = "", pictures = "", ...pages] = process.argv.slice(2);
const root = pathToFileURL(folder).href;
const browser = await launch();
const problems: string[] = [];
const found: Record<string, string[]> = {};
const drawn: Record<string, string[]> = {};

async function search(words: string): Promise<string[]> {
  await page.keyboard.press("/");
  await page.keyboard.type(words);
  return page.$$eval(".results a", (links) => links.map((link) => link.textContent ?? ""));
}

const { page, complaints } = await open(browser, root);
try {
  for (const name of pages) {
    for (const [scheme, width] of [["light", 1280], ["dark", 360]] as const) {
      await look(page, scheme, width);
      await page.goto(`${root}/${name}`);
      // Diagrams are drawn once the page is there; the text of each is folded below it.
      await page.waitForFunction(() => document.querySelector(".diagram > pre") === null);
      drawn[name] = await page.$$eval(".diagram svg", (all) => all.map((each) => each.textContent ?? ""));
      const words = `${name}, ${scheme}, ${width} px`;
      problems.push(...(await findings(page)).map((each) => `${words}: ${each}`));
      const tooWide = await excess(page);
      if (tooWide > 0) problems.push(`${words}: ${tooWide} px too wide`);
      const picture = `site-${name.replaceAll("/", "-").replace(".html", "")}-${scheme}-${width}.png`;
      await page.screenshot({ path: `${pictures}/${picture}` as `${string}.png` });
      const diagrams = await page.$$(".diagram");
      for (const [number, diagram] of diagrams.entries()) {
        const part = picture.replace(".png", `-diagram-${number}.png`);
        await diagram.screenshot({ path: `${pictures}/${part}` as `${string}.png` });
      }
    }
  }
  await look(page, "light", 1280);
  for (const words of ["place order", "outofst", "placed_order", "nats protocol", "xyzzy"]) {
    await page.goto(`${root}/index.html`);
    found[words] = await search(words);
  }
  await page.goto(`${root}/services/home.html`);
  await search("PlaceOrder");
  problems.push(...(await findings(page)).map((each) => `results: ${each}`));
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  const place = page.url().slice(root.length + 1);
  const status = await page.$eval(".results [role=status]", (each) => each.textContent);
  console.log(JSON.stringify({ problems, complaints, found, drawn, place, status }));
} finally {
  await browser.close();
}
