/**
 * Runs the tests of the shop in a browser, from a page of another origin than the shop's.
 *
 * Usage: node run.ts SHOP_URL PORT_OF_THE_PAGE
 *
 * Writes what each test gave to standard output, as a list in JSON.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { stripTypeScriptTypes } from "node:module";

import chromium from "@sparticuz/chromium";
import puppeteer, { type Page } from "puppeteer-core";

import type { Result } from "./harness.ts";

const [shopUrl = "", port = ""] = process.argv.slice(2);

const PAGE = `<!doctype html>
<link rel="icon" href="data:,">
<script type="importmap">
{"imports": {
  "node:assert/strict": "/harness.ts",
  "node:test": "/harness.ts",
  "shop-client": "/shop-client/index.js"
}}
</script>`;

async function contentOf(path: string): Promise<[type: string, content: string]> {
  if (path === "/") {
    return ["text/html", PAGE];
  }
  if (path.startsWith("/shop-client/")) {
    const file = new URL(`./node_modules/shop-client/dist/${path.slice(13)}`, import.meta.url);
    return ["text/javascript", await readFile(file, "utf-8")];
  }
  const source = await readFile(new URL(`.${path}`, import.meta.url), "utf-8");
  return ["text/javascript", stripTypeScriptTypes(source)];
}

const server = createServer((request, response) => {
  contentOf(request.url ?? "/").then(
    ([type, content]) => response.setHeader("content-type", type).end(content),
    (error: unknown) => response.writeHead(404).end(String(error)),
  );
});
await new Promise<void>((resolve) => server.listen(Number(port), "127.0.0.1", resolve));

const browser = await puppeteer.launch({
  args: chromium.args,
  executablePath: await chromium.executablePath(),
  headless: "shell",
});

async function open(): Promise<Page> {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(error));
  await page.goto(`http://127.0.0.1:${port}/`);
  return page;
}

/** Call a function of a module in a page. */
function call(page: Page, module: string, name: string): Promise<unknown> {
  return page.evaluate(
    async (path, member, url) => {
      const loaded = (await import(path)) as Record<string, (url: string) => Promise<unknown>>;
      return loaded[member]!(url);
    },
    module,
    name,
    shopUrl,
  );
}

async function testsInThePage(): Promise<Result[]> {
  const page = await open();
  await page.evaluate((url) => {
    Object.assign(globalThis, { process: { env: { SHOP_URL: url } } });
  }, shopUrl);
  await page.evaluate(async (path) => import(path) as Promise<void>, "/shop.test.ts");
  return (await call(page, "/harness.ts", "results")) as Result[];
}

async function testOfTwoPages(): Promise<Result> {
  const name = "two pages that share a session renew its tokens once";
  try {
    const pages = [await open(), await open()] as const;
    await call(pages[0], "/tabs.ts", "signIn");
    const signedIn = await Promise.all(pages.map((page) => call(page, "/tabs.ts", "callTogether")));
    return signedIn.every(Boolean) ? { name } : { name, error: "the session has ended" };
  } catch (error) {
    return { name, error: String(error) };
  }
}

try {
  console.log(JSON.stringify([...(await testsInThePage()), await testOfTwoPages()]));
} finally {
  await browser.close();
  server.close();
}
