/**
 * Tries the API of a running shop from its own reference.
 *
 * Usage: node reference.ts SHOP_URL PICTURES
 *
 * Writes what it has seen to standard output, as JSON.
 */
import { excess, findings, launch, look, open } from "./browser.ts";

const [shop = "", pictures = ""] = process.argv.slice(2);

async function post(path: string, body: unknown, token = ""): Promise<Record<string, string>> {
  const answer = await fetch(shop + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, string>;
}

const who = { email: "reference@example.org", password: "correct horse" };
await post("/v1/users", who);
const { accessToken = "" } = await post("/v1/authenticate", who);
const { chatId = "" } = await post("/v1/chats", {}, accessToken);

const browser = await launch();
const { page, complaints } = await open(browser, shop);
const operation = (name: string) => `[id$="-${name}"]`;

async function unfold(name: string): Promise<void> {
  await page.waitForSelector(operation(name));
  await page.click(`${operation(name)} .opblock-summary-control`);
  await page.waitForSelector(`${operation(name)} .opblock-body`);
}

/** Try an operation, with values for its parameters; gives status and body of the answer. */
async function attempt(name: string, values: Record<string, string>): Promise<[string, string]> {
  const here = operation(name);
  await unfold(name);
  // Comes once the operation is read, which is after it was unfolded.
  await page.waitForSelector(`${here} .try-out__btn`);
  await page.click(`${here} .try-out__btn`);
  for (const [parameter, value] of Object.entries(values)) {
    await page.type(`${here} tr[data-param-name="${parameter}"] input`, value);
  }
  await page.click(`${here} .execute`);
  const live = `${here} .live-responses-table .response`;
  await page.waitForSelector(`${live} .response-col_status`);
  const text = (part: string) => page.$eval(part, (each) => each.textContent ?? "");
  return [(await text(`${live} .response-col_status`)).trim(), await text(live)];
}

async function authorize(token: string): Promise<void> {
  await page.click(".btn.authorize");
  await page.waitForSelector(".auth-container input");
  // As if it were pasted: it is long.
  await page.focus(".auth-container input");
  await page.keyboard.sendCharacter(token);
  await page.click(".auth-btn-wrapper .authorize");
  await page.click(".auth-btn-wrapper .btn-done");
}

try {
  await look(page, "light", 1280);
  await page.goto(`${shop}/docs`);
  await page.waitForSelector(".opblock");
  const operations = await page.$$eval(".opblock", (each) => each.length);
  const problems = await findings(page, "#reference");
  await page.screenshot({ path: `${pictures}/reference.png` });
  const item = await attempt("InventoryApi_GetItem", { sku: "KIT-BRD-0008" });
  const complaintsSoFar = [...complaints];
  const refused = await attempt("AuthenticationApi_GetUser", {});
  // That a request was refused, the browser complains of as well.
  complaints.splice(0, complaints.length, ...complaintsSoFar);
  await authorize(accessToken);
  const orders = await attempt("OrdersApi_ListOrders", {});
  const closed = await attempt("CustomerChatApi_CloseChat", { chat_id: chatId });
  await unfold("CustomerChatApi_StreamChat");
  await page.waitForSelector(`${operation("CustomerChatApi_StreamChat")} .responses-table`);
  const stream = await page.$eval(operation("CustomerChatApi_StreamChat"), (each) => each.textContent);

  const events: Record<string, string[]> = {};
  for (const [scheme, width] of [["light", 1280], ["dark", 360]] as const) {
    await look(page, scheme, width);
    // Leads to /docs/events/.
    await page.goto(`${shop}/docs/events`);
    await page.waitForSelector("article");
    problems.push(...(await findings(page)));
    if ((await excess(page)) > 0) problems.push(`the events are too wide for ${width} px`);
    await page.screenshot({ path: `${pictures}/events-${scheme}-${width}.png` });
  }
  for (const article of await page.$$("article[id]")) {
    const [id, fields] = await article.evaluate((each) => [
      each.id,
      [...each.querySelectorAll("td:first-child")].map((cell) => cell.textContent ?? ""),
    ] as const);
    events[id] = fields;
  }
  console.log(
    JSON.stringify({ operations, problems, complaints, item, refused, orders, closed, chatId, stream, events }),
  );
} finally {
  await browser.close();
}
