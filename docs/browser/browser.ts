/** A browser that keeps an eye on what pages do. */
import { readFile } from "node:fs/promises";

import chromium from "@sparticuz/chromium";
import puppeteer, { type Browser, type Page } from "puppeteer-core";

const axe = await readFile(new URL("./node_modules/axe-core/axe.min.js", import.meta.url), "utf-8");

export interface Watched {
  page: Page;
  /** What was refused by a policy, failed, or was asked of somebody else. */
  complaints: string[];
}

export async function launch(): Promise<Browser> {
  return puppeteer.launch({
    args: chromium.args,
    executablePath: await chromium.executablePath(),
    headless: "shell",
  });
}

/** Open a page that may load only what begins with `allowed`. */
export async function open(browser: Browser, allowed: string): Promise<Watched> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(allowed) && !/^(data|blob):/.test(request.url())) {
      complaints.push(`asked for ${request.url()}`);
    }
  });
  return { page, complaints };
}

export async function look(page: Page, scheme: "light" | "dark", width: number): Promise<void> {
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  await page.setViewport({ width, height: 900 });
}

/** What axe finds, but for what is inside of `excluded`. */
export async function findings(page: Page, excluded?: string): Promise<string[]> {
  // Not as an element of the page, which its policy would refuse.
  await page.evaluate(axe);
  return page.evaluate(async (without) => {
    const runner = (globalThis as unknown as { axe: AxeRunner }).axe;
    const context = without === undefined ? document : { include: "body", exclude: without };
    const { violations } = await runner.run(context);
    return violations.map((each) => `${each.id} at ${each.nodes[0]?.html ?? "?"}`);
  }, excluded);
}

interface AxeRunner {
  run(context: unknown): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}

/** How many pixels a page is too wide by. */
export function excess(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}
