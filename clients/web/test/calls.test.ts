/** Calls over a `fetch` that the tests write: what is sent, what is asked again, and what fails. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { ApiError, createShop, memoryTokens, type RetryPolicy } from "shop-client";

type Answer = (request: Request) => Response | Promise<Response>;

const QUICK: Partial<RetryPolicy> = { baseDelayMs: 1, maximumDelayMs: 2 };

/** A shop that gives one answer after the other, and the requests that it has had. */
function shopOf(answers: readonly Answer[], options = {}) {
  const requests: Request[] = [];
  const shop = createShop({
    baseUrl: "http://shop.test/base/",
    retry: QUICK,
    ...options,
    fetch: async (url, init) => {
      const request = new Request(url, init);
      requests.push(request);
      const answer = answers[requests.length - 1];
      assert.ok(answer, `${request.method} ${request.url} was not expected`);
      return answer(request);
    },
  });
  return { shop, requests };
}

const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  () =>
    Response.json(value, { status, headers });

const problem = (status: number, code: string, more = {}, headers = {}): Answer =>
  json({ type: "about:blank", title: code, status, code, ...more }, status, headers);

const lost: Answer = () => {
  throw new TypeError("fetch failed");
};

const ORDER = {
  orderId: "1",
  placedAt: "2024-05-31T12:00:00Z",
  total: { currencyCode: "EUR", minorUnits: "100" },
};

async function thrown(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    () => undefined,
    (each: unknown) => each,
  );
  assert.ok(error instanceof ApiError, `${error}`);
  return error;
}

test("a request has a path, a query and a body as the contract binds them", async () => {
  const { shop, requests } = shopOf([json({}), json({}), json({})]);
  await shop.inventory.listItems({ query: "oak & board", pageSize: 3 });
  await shop.shoppingCart.setItemQuantity({ cartId: "a/b ü", sku: "KIT:1", quantity: 0 });
  await shop.authentication.getUser().catch(() => undefined);
  assert.deepEqual(
    requests.map(({ method, url }) => `${method} ${url}`),
    [
      "GET http://shop.test/base/v1/inventory?query=oak+%26+board&pageSize=3",
      "PUT http://shop.test/base/v1/carts/a%2Fb%20%C3%BC/items/KIT%3A1",
      "GET http://shop.test/base/v1/users/me",
    ],
  );
  assert.equal(requests[0]!.headers.get("content-type"), null);
  assert.equal(requests[1]!.headers.get("content-type"), "application/json");
  assert.deepEqual(await requests[1]!.json(), { quantity: 0 });
});

for (const sku of ["", ".", ".."]) {
  test(`a path cannot hold ${JSON.stringify(sku)}, so nothing is sent`, async () => {
    const { shop, requests } = shopOf([]);
    const error = await thrown(shop.inventory.getItem({ sku }));
    assert.equal(error.code, "INVALID_ARGUMENT");
    assert.deepEqual(requests, []);
  });
}

test("what may be repeated is asked again when the server is away, lost or full", async () => {
  const { shop, requests } = shopOf([
    lost,
    problem(503, "UNAVAILABLE"),
    problem(429, "RESOURCE_EXHAUSTED"),
    json({ items: [] }),
  ]);
  assert.deepEqual(await shop.inventory.listItems(), { items: [], nextPageToken: "" });
  assert.equal(requests.length, 4);
});

test("it is not asked for ever", async () => {
  const { shop, requests } = shopOf([lost, lost, lost, lost, lost]);
  const error = await thrown(shop.inventory.listItems());
  assert.equal(error.code, "UNAVAILABLE");
  assert.ok(error.cause instanceof TypeError);
  assert.equal(requests.length, 4);
});

test("what may not be repeated is asked once", async () => {
  const { shop, requests } = shopOf([lost, lost]);
  assert.equal((await thrown(shop.shoppingCart.createCart())).code, "UNAVAILABLE");
  assert.equal(requests.length, 1);
});

test("an error that the contract declares is not asked again, whatever its code", async () => {
  const { shop, requests } = shopOf([
    problem(429, "RESOURCE_EXHAUSTED", {
      error: "TooManyAttempts",
      fields: { retryAfterSeconds: 3 },
    }),
  ]);
  const { registerUser } = shop.authentication;
  const error = await thrown(registerUser({ email: "a@b.c", password: "correct horse" }));
  assert.ok(registerUser.refused(error));
  assert.equal(error.error.fields.retryAfterSeconds, 3);
  assert.equal(requests.length, 1);
});

test("attempts share one key, calls do not, and who asks may give one", async () => {
  const { shop, requests } = shopOf([lost, json(ORDER), json(ORDER), json(ORDER)]);
  await shop.orders.placeOrder({ cartId: "1" });
  await shop.orders.placeOrder({ cartId: "1" });
  await shop.orders.placeOrder({ cartId: "1" }, { idempotencyKey: "mine" });
  const keys = requests.map(({ headers }) => headers.get("idempotency-key"));
  assert.match(keys[0]!, /^[0-9a-f]{32}$/);
  assert.equal(keys[1], keys[0]);
  assert.notEqual(keys[2], keys[0]);
  assert.equal(keys[3], "mine");
});

test("a server is asked again after as long as it says", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    const { shop, requests } = shopOf([
      problem(503, "UNAVAILABLE", {}, { "retry-after": "3" }),
      json({ items: [] }),
    ]);
    const call = shop.inventory.listItems();
    await turns();
    mock.timers.tick(2_999);
    await turns();
    assert.equal(requests.length, 1);
    mock.timers.tick(1);
    await call;
    assert.equal(requests.length, 2);
  } finally {
    mock.timers.reset();
  }
});

test("nobody waits for an attempt that would come too late", async () => {
  const late = new Date(Date.now() + 60_000).toUTCString();
  const { shop, requests } = shopOf([problem(503, "UNAVAILABLE", {}, { "retry-after": late })]);
  const error = await thrown(shop.inventory.listItems());
  assert.equal(error.code, "UNAVAILABLE");
  assert.ok(error.retryAfterMs! > 50_000);
  assert.equal(requests.length, 1);
});

test("a call has the time of its contract, over all attempts", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    const never: Answer = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const { shop } = shopOf([lost, never]);
    const call = thrown(shop.inventory.getItem({ sku: "1" }));
    await turns();
    mock.timers.tick(10);
    await turns();
    mock.timers.tick(5_000);
    assert.equal((await call).code, "DEADLINE_EXCEEDED");
  } finally {
    mock.timers.reset();
  }
});

test("who cancels while it waits for another attempt gets the reason", async () => {
  const controller = new AbortController();
  const { shop } = shopOf([problem(503, "UNAVAILABLE", {}, { "retry-after": "5" })]);
  const call = shop.inventory.listItems({}, { signal: controller.signal });
  const reason = new Error("left");
  setImmediate(() => controller.abort(reason));
  await assert.rejects(call, (error) => error === reason);
});

test("what stands between may answer in any form", async () => {
  const page: Answer = () => new Response("<h1>Bad Gateway</h1>", { status: 502 });
  const { shop } = shopOf([page], { retry: { attempts: 1 } });
  const error = await thrown(shop.inventory.listItems());
  assert.equal(error.code, "UNAVAILABLE");
  assert.equal(error.status, 502);
});

test("an answer that is not what the contract says is an error", async () => {
  const { shop } = shopOf([json({ items: [{ sku: 5 }] }), () => new Response("{")]);
  assert.match((await thrown(shop.inventory.listItems())).message, /items\[0\].sku: expected a str/);
  assert.equal((await thrown(shop.inventory.listItems())).code, "INTERNAL");
});

test("an error that this version does not know is told as it came", async () => {
  const { shop } = shopOf([problem(404, "NOT_FOUND", { error: "Sold", fields: { when: 1 } })]);
  const error = await thrown(shop.inventory.getItem({ sku: "1" }));
  assert.deepEqual(error.error, { name: "Sold", fields: { when: 1 } });
  assert.equal(shop.inventory.getItem.refused(error), false);
});

test("pages follow each other, with the same request", async () => {
  const { shop, requests } = shopOf([
    json({ items: [], nextPageToken: "2" }),
    json({ items: [], nextPageToken: "3" }),
    json({ items: [] }),
  ]);
  const items = [];
  for await (const item of shop.inventory.listItems.all({ query: "x" })) {
    items.push(item);
  }
  assert.deepEqual(items, []);
  const queries = requests.map(({ url }) => new URL(url).search);
  assert.deepEqual(queries, ["?query=x", "?query=x&pageToken=2", "?query=x&pageToken=3"]);
});

const GRANT = { accessToken: "a2", refreshToken: "r2", expiresIn: 900, tokenType: "Bearer" };
const OLD = { accessToken: "a1", refreshToken: "r1", renewAt: 0 };

test("calls that need a new token wait for the one that gets it", async () => {
  const { shop, requests } = shopOf(
    [json(GRANT), ...Array.from({ length: 5 }, () => json({ items: [] }))],
    { tokens: memoryTokens(OLD) },
  );
  await Promise.all(Array.from({ length: 5 }, () => shop.inventory.listItems()));
  const shown = requests.map(({ headers }) => headers.get("authorization"));
  assert.deepEqual(shown, [null, ...Array.from({ length: 5 }, () => "Bearer a2")]);
  assert.deepEqual(await requests[0]!.json(), { refreshToken: "r1" });
});

test("two clients that share a store use a refresh token once", async () => {
  const tokens = memoryTokens(OLD);
  const one = shopOf([json(GRANT), json({ items: [] })], { tokens });
  const other = shopOf([json({ items: [] })], { tokens });
  await one.shop.inventory.listItems();
  await other.shop.inventory.listItems();
  assert.equal(other.requests[0]!.headers.get("authorization"), "Bearer a2");
});

test("who cannot be reached for a new token shows the old one", async () => {
  const { shop, requests } = shopOf([lost, json({ items: [] })], { tokens: memoryTokens(OLD) });
  await shop.inventory.listItems();
  assert.equal(requests[1]!.headers.get("authorization"), "Bearer a1");
});

test("a refresh token is sent once for a call, whatever becomes of the answer", async () => {
  const refused = problem(401, "UNAUTHENTICATED");
  const fresh = { ...OLD, renewAt: Number.MAX_SAFE_INTEGER };
  for (const [tokens, answers] of [
    [fresh, [refused, lost]],
    [OLD, [lost, refused]],
  ] as const) {
    const { shop, requests } = shopOf([...answers], { tokens: memoryTokens(tokens) });
    await assert.rejects(shop.inventory.listItems(), { code: "UNAUTHENTICATED" });
    assert.equal(requests.length, 2);
    assert.equal(requests.filter(({ url }) => url.includes("refresh")).length, 1);
  }
});

test("who signs out while a token is renewed stays signed out", async () => {
  const tokens = memoryTokens(OLD);
  let left: Promise<void> | undefined;
  const renewing: Answer = (request) => {
    left = shop.session.signOut();
    return json(GRANT)(request);
  };
  const { shop, requests } = shopOf([renewing, json({ items: [] }), json({})], { tokens });
  await shop.inventory.listItems();
  await left;
  assert.equal(await tokens.load(), null);
  // It is the new one that is given back.
  const ended = requests.find(({ url }) => url.endsWith(":logout"));
  assert.deepEqual(await ended!.json(), { refreshToken: "r2" });
});

test("a token that is refused is renewed once, and not for ever", async () => {
  const refused = problem(401, "UNAUTHENTICATED");
  const { shop, requests } = shopOf([refused, json(GRANT), refused], {
    tokens: memoryTokens({ ...OLD, renewAt: Number.POSITIVE_INFINITY }),
  });
  assert.equal((await thrown(shop.authentication.getUser())).code, "UNAUTHENTICATED");
  assert.equal(requests.length, 3);
});

/** Lets everything happen that needs no time. */
async function turns(): Promise<void> {
  for (let at = 0; at < 50; at++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("an address that is none is refused before anything is sent", () => {
  for (const baseUrl of ["", "/base", "shop.test", "127.0.0.1:8080", "ftp://shop.test", "http://"]) {
    assert.throws(() => createShop({ baseUrl }), /^TypeError: baseUrl: expected such as https:/, baseUrl);
  }
});

test("a time-out that is no number is refused, and one that is over sends nothing", async () => {
  const { shop, requests } = shopOf([]);
  await assert.rejects(shop.home.getHome({}, { timeoutMs: Number.NaN }), /^RangeError: timeoutMs: /);
  for (const timeoutMs of [0, -1, Number.NEGATIVE_INFINITY]) {
    const late = await thrown(shop.home.getHome({}, { timeoutMs }));
    assert.equal(late.code, "DEADLINE_EXCEEDED");
  }
  assert.equal(requests.length, 0);
});

test("what a request cannot say is refused by the name of its field", async () => {
  const { shop, requests } = shopOf([]);
  const refusals = [
    [shop.inventory.listItems({ pageSize: Number.NaN }), "pageSize"],
    [shop.inventory.getItem({ sku: ".." }), "sku"],
    [shop.orders.placeOrder({ cartId: "1" }, { idempotencyKey: "a\nb" }), "idempotencyKey"],
    [shop.orders.placeOrder({ cartId: "1" }, { idempotencyKey: "" }), "idempotencyKey"],
  ] as const;
  for (const [call, field] of refusals) {
    const error = await thrown(call);
    assert.equal(error.code, "INVALID_ARGUMENT");
    assert.deepEqual(error.fieldProblems.map((each) => each.field), [field]);
  }
  assert.equal(requests.length, 0);
});
