/** Services that go and come back, as lines on the standard input and output say. */
import { createInterface } from "node:readline/promises";

import type { Browser, Page } from "puppeteer-core";

import { itemOf } from "./direct.ts";
import { fill, follow, isAt, look, open, press, shopUrl, shows } from "./visitor.ts";

const SKU = "KIT-BRD-0008";
const PASSWORD = "correct horse";
const HOME = "Good things, plainly sold";

/** Ask whoever runs the shop to do something, and wait until it is done. */
type Ask = (what: "start" | "stop", service: string) => Promise<void>;

function asking(): Ask {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  return async (what, service) => {
    console.log(`${what} ${service}`);
    await lines.next();
  };
}

interface Absence {
  readonly service: string;
  /** How it is called when it is away, such as "The catalogue". */
  readonly what: string;
  /** A page that needs it, and how that is titled meanwhile. */
  readonly path: string;
  readonly title: string;
  /** What is shown again when it is back. */
  readonly back: string;
  /** A button that asks for it; it is asked when the page appears where that is absent. */
  readonly button?: string;
  /** Another page, which works meanwhile, and what is shown there. */
  readonly elsewhere: readonly [path: string, title: string, shown: string];
}

function absences(name: string): Absence[] {
  const catalogue = ["/catalogue", "Catalogue", "Show more"] as const;
  return [
    {
      service: "inventory",
      what: "The catalogue",
      path: `/items/${SKU}`,
      title: `Item ${SKU}`,
      back: "Add to cart",
      elsewhere: ["/orders", "Your orders", "You have not ordered anything yet."],
    },
    {
      service: "home",
      what: "What sells best",
      path: "/",
      title: HOME,
      back: HOME,
      elsewhere: [`/items/${SKU}`, name, "Add to cart"],
    },
    {
      service: "search",
      what: "The search",
      path: "/search?query=oak",
      title: "Search for “oak”",
      back: "the best first.",
      elsewhere: catalogue,
    },
    {
      service: "shopping_cart",
      what: "The cart",
      path: "/cart",
      title: "Your cart",
      back: name,
      elsewhere: catalogue,
    },
    {
      service: "orders",
      what: "The orders",
      path: "/orders",
      title: "Your orders",
      back: "You have not ordered anything yet.",
      elsewhere: ["/", HOME, "This cannot be shown right now: your last orders"],
    },
    {
      service: "authentication",
      what: "The accounts",
      path: "/account",
      title: "Your account",
      back: "With us since",
      elsewhere: ["/cart", "Your cart", name],
    },
    {
      service: "customer_chat",
      what: "The chat",
      path: "/chat",
      title: "Chat with us",
      back: "Nothing was said yet.",
      button: "Begin a chat",
      elsewhere: catalogue,
    },
  ];
}

async function goesAndComesBack(page: Page, ask: Ask, absence: Absence): Promise<void> {
  const { service, what, path, title, back, button, elsewhere } = absence;
  await ask("stop", service);
  await follow(page, elsewhere[0], elsewhere[1]);
  await shows(page, elsewhere[2]);
  await follow(page, path, title);
  if (button) {
    await press(page, button);
  }
  const isAway = `${what} cannot be reached right now. The rest of the shop works.`;
  await shows(page, isAway);
  await look(page, `away-${service}`);
  await ask("start", service);
  await press(page, button ?? "Try again");
  await page.waitForFunction((text) => !document.body.innerText.includes(text), {}, isAway);
  await shows(page, back);
}

/** Stop each service in turn: its page says so, another works, and it is there again when it is asked for. */
export async function away(browser: Browser): Promise<void> {
  const ask = asking();
  const { name } = await itemOf(SKU);
  const page = await open(browser);
  // As a page that nobody looks at, which asks for nothing by itself.
  await page.evaluateOnNewDocument(() =>
    Object.defineProperty(document, "hidden", { get: () => true }),
  );
  await page.goto(`${shopUrl}/#/items/${SKU}`);
  await isAt(page, name);
  await press(page, "Add to cart");
  await shows(page, "1 in your cart.");
  await follow(page, "/register", "Open an account");
  await fill(page, "email", `away-${Date.now()}@example.org`);
  await fill(page, "password", PASSWORD);
  await press(page, "Open an account");
  await isAt(page, HOME);
  for (const each of absences(name)) {
    await goesAndComesBack(page, ask, each);
  }
}
