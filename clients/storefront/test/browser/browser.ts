/** The browser of the walk: one that runs already, or one of its own. */
import chromium from "@sparticuz/chromium";
import puppeteer, { type Browser } from "puppeteer-core";

// In one process there is one visitor at most, and a shop is to be safe in a browser that is.
const UNWANTED = [
  "--single-process",
  "--no-zygote",
  "--disable-web-security",
  "--allow-running-insecure-content",
];

/** Start a browser. */
export async function launch(): Promise<Browser> {
  return puppeteer.launch({
    args: chromium.args.filter((each) => !UNWANTED.includes(each)),
    executablePath: await chromium.executablePath(),
    headless: "shell",
  });
}

/** Work in the browser whose address the environment has as BROWSER, or in one of its own. */
export async function withBrowser(work: (browser: Browser) => Promise<void>): Promise<void> {
  const address = process.env["BROWSER"];
  if (address) {
    const browser = await puppeteer.connect({ browserWSEndpoint: address, defaultViewport: null });
    try {
      await work(browser);
    } finally {
      await Promise.all(browser.browserContexts().filter((each) => each.id).map((each) => each.close()));
      await browser.disconnect();
    }
    return;
  }
  const browser = await launch();
  try {
    await work(browser);
  } finally {
    await browser.close();
  }
}

// Run by itself, it is a browser for others: it prints its address, and ends with its standard input.
if (import.meta.main) {
  const browser = await launch();
  console.log(browser.wsEndpoint());
  process.stdin.resume().once("end", () => void browser.close());
}
