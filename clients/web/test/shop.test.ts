/**
 * What a customer does, against a running shop. It runs in Node, and so it does in a browser: nothing
 * here is of one of them alone but the test runner.
 */
import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, createShop, memoryTokens, toDate, type Tokens, type TokenStore } from "shop-client";

const baseUrl = process.env["SHOP_URL"]!;

let people = 0;

function somebody(): { email: string; password: string } {
  people += 1;
  return { email: `web-${Date.now()}-${people}@example.org`, password: "correct horse" };
}

async function signedIn(tokens: TokenStore = memoryTokens()) {
  const shop = createShop({ baseUrl, tokens });
  const who = somebody();
  await shop.authentication.registerUser(who);
  await shop.authentication.authenticate(who);
  return { shop, who };
}

test("somebody signs up, signs in and out", async () => {
  const { shop, who } = await signedIn();
  const user = await shop.authentication.getUser();
  assert.equal(user.email, who.email);
  assert.ok(Math.abs(Date.now() - toDate(user.registeredAt).getTime()) < 60_000);
  await shop.session.signOut();
  assert.equal(await shop.session.isSignedIn(), false);
  await assert.rejects(shop.authentication.getUser(), { name: "ApiError", code: "UNAUTHENTICATED" });
});

test("a wrong password is an error that the contract declares", async () => {
  const { who } = await signedIn();
  const shop = createShop({ baseUrl });
  const thrown = await shop.authentication
    .authenticate({ ...who, password: "wrong horse" })
    .catch((error: unknown) => error);
  assert.ok(shop.authentication.authenticate.refused(thrown));
  assert.equal(thrown.error.name, "InvalidCredentials");
  assert.equal(thrown.code, "UNAUTHENTICATED");
  assert.equal(await shop.session.isSignedIn(), false);
});

test("a catalogue is browsed page by page, as far as somebody reads", async () => {
  const shop = createShop({ baseUrl });
  const skus = [];
  for await (const item of shop.inventory.listItems.all({ pageSize: 7 })) {
    assert.equal(typeof item.price.minorUnits, "bigint");
    skus.push(item.sku);
    if (skus.length === 20) {
      break;
    }
  }
  assert.equal(new Set(skus).size, 20);
  const { items, nextPageToken } = await shop.inventory.listItems({ pageSize: 20 });
  assert.deepEqual(items.map(({ sku }) => sku), skus);
  assert.notEqual(nextPageToken, "");
  const { done } = await shop.inventory.listItems.pages().next();
  assert.equal(done, false);
});

test("an order is placed from a cart, and comes back by its key", async () => {
  const { shop } = await signedIn();
  const { items } = await shop.inventory.listItems({ query: "oak board", pageSize: 1 });
  const { sku } = items[0]!;
  const { cartId } = await shop.shoppingCart.createCart();
  const cart = await shop.shoppingCart.setItemQuantity({ cartId, sku, quantity: 1 });
  assert.equal(cart.lines[0]?.availability, "AVAILABILITY_IN_STOCK");
  const order = await shop.orders.placeOrder({ cartId }, { idempotencyKey: "my first" });
  assert.equal(order.total.minorUnits, cart.total?.minorUnits);
  const again = await shop.orders.placeOrder({ cartId }, { idempotencyKey: "my first" });
  assert.equal(again.orderId, order.orderId);
  for await (const summary of shop.orders.listOrders.all({ pageSize: 1 })) {
    assert.equal(summary.orderId, order.orderId);
  }
  const home = await shop.home.getHome({ client: "CLIENT_WEB", cartId });
  assert.equal(home.recentOrders[0]?.orderId, order.orderId);
});

test("what is refused says why, with the fields of the contract's error", async () => {
  const shop = createShop({ baseUrl });
  const { items } = await shop.inventory.listItems({ pageSize: 1 });
  const { cartId } = await shop.shoppingCart.createCart();
  const { setItemQuantity } = shop.shoppingCart;
  const thrown = await setItemQuantity({ cartId, sku: items[0]!.sku, quantity: 999 }).catch(
    (error: unknown) => error,
  );
  assert.ok(setItemQuantity.refused(thrown));
  assert.ok(thrown.error.name === "OutOfStock");
  assert.equal(thrown.error.fields.requested, 999);
  assert.equal(thrown.error.fields.available, items[0]!.stock);
  assert.equal(thrown.code, "FAILED_PRECONDITION");
  await assert.rejects(
    shop.authentication.registerUser({ email: "a@b.c", password: "short" }),
    (error: unknown) =>
      error instanceof ApiError &&
      error.code === "INVALID_ARGUMENT" &&
      error.fieldProblems[0]?.field === "password",
  );
});

test("many calls that need a new token get it with one refresh, and none is used twice", async () => {
  let tokens: Tokens | null = null;
  const store: TokenStore = {
    load: () => tokens,
    // All that are given are to be renewed at once.
    save: (given) => {
      tokens = given && { ...given, renewAt: 0 };
    },
  };
  let refreshes = 0;
  const shop = createShop({
    baseUrl,
    tokens: store,
    fetch: (url, init) => {
      refreshes += String(url).endsWith(":refresh") ? 1 : 0;
      return fetch(url, init);
    },
  });
  const who = somebody();
  await shop.authentication.registerUser(who);
  await shop.authentication.authenticate(who);
  const users = await Promise.all(Array.from({ length: 8 }, () => shop.authentication.getUser()));
  assert.deepEqual(new Set(users.map(({ email }) => email)), new Set([who.email]));
  assert.equal(refreshes, 1);
  // The session has not ended, as it would have if a token had been used again.
  await shop.authentication.getUser();
  assert.equal(refreshes, 2);
});

test("a token that is refused is renewed, and the call made again", async () => {
  const store = memoryTokens();
  const { shop, who } = await signedIn(store);
  const tokens = await store.load();
  assert.ok(tokens);
  await store.save({ ...tokens, accessToken: "e30.e30.e30" });
  assert.equal((await shop.authentication.getUser()).email, who.email);
});

test("a session that has ended is forgotten", async () => {
  const store = memoryTokens();
  const { shop } = await signedIn(store);
  await store.save({ ...(await store.load())!, refreshToken: "none", renewAt: 0 });
  await assert.rejects(shop.authentication.getUser(), { code: "UNAUTHENTICATED" });
  assert.equal(await shop.session.isSignedIn(), false);
  assert.ok((await shop.inventory.listItems()).items.length > 0);
});

test("a chat is followed as it is said, and goes on where the stream broke off", async () => {
  const store = memoryTokens();
  const { shop, who } = await signedIn(store);
  let opened = 0;
  // Each stream ends after its first piece that has an event, as if the connection were lost.
  const frail = createShop({
    baseUrl,
    tokens: store,
    retry: { baseDelayMs: 1 },
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      if (!String(url).includes(":stream")) {
        return response;
      }
      opened += 1;
      const reader = response.body!.getReader();
      let isLost = false;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          if (isLost) {
            await reader.cancel();
            controller.error(new Error("lost"));
            return;
          }
          const { done, value } = await reader.read();
          if (done) {
            controller.close();
          } else {
            const text = new TextDecoder().decode(value);
            isLost = text.includes("data:") && !text.includes("event: end");
            controller.enqueue(new TextEncoder().encode(text.replace("retry: 2000", "retry: 1")));
          }
        },
      });
      return new Response(body, response);
    },
  });
  const { chatId } = await shop.customerChat.openChat();
  const said = ["Is it made of oak?", "Hello?", "Never mind."];
  const send = (at: number) =>
    shop.customerChat.sendMessage({ chatId, messageId: String(at), text: said[at]! });
  await send(0);
  const heard: string[] = [];
  const positions: bigint[] = [];
  for await (const entry of frail.customerChat.streamChat({ chatId }, { timeoutMs: 60_000 })) {
    positions.push(entry.position);
    if (entry.kind === "ENTRY_KIND_MESSAGE") {
      heard.push(entry.text);
      await (heard.length < said.length
        ? send(heard.length)
        : shop.customerChat.closeChat({ chatId }));
    }
  }
  assert.deepEqual(heard, said);
  assert.deepEqual(positions, [1n, 2n, 3n, 4n]);
  assert.ok(opened > 1, `the stream was opened ${opened} times`);
  assert.ok(who);
});

test("a stream that is refused says why", async () => {
  const { shop } = await signedIn();
  const { streamChat } = shop.customerChat;
  const thrown = await streamChat({ chatId: "none" })
    .next()
    .catch((error: unknown) => error);
  assert.ok(streamChat.refused(thrown));
  assert.deepEqual(thrown.error, { name: "ChatNotFound", fields: { chatId: "none" } });
});

test("a conversation is held over a WebSocket", async () => {
  const { shop } = await signedIn();
  const { chatId } = await shop.customerChat.openChat();
  const talk = shop.customerChat.talkInChat({ chatId });
  await talk.send({ message: { messageId: "1", text: "hello" } });
  const { value } = await talk.next();
  assert.ok(value?.what?.case === "entry");
  assert.equal(value.what.value.text, "hello");
  await talk.send({ message: { messageId: "1", text: "something else" } });
  const refused = await talk.next();
  assert.equal(refused.value?.what?.case, "refusal");
  await shop.customerChat.closeChat({ chatId });
  const rest = [];
  for await (const { what } of talk) {
    rest.push(what?.case);
  }
  assert.deepEqual(rest, ["entry"]);
});

test("a conversation that is refused says why", async () => {
  const { shop } = await signedIn();
  const thrown = await shop.customerChat
    .talkInChat({ chatId: "none" })
    .next()
    .catch((error: unknown) => error);
  assert.ok(shop.customerChat.talkInChat.refused(thrown));
  assert.equal(thrown.error.name, "ChatNotFound");
  assert.equal(thrown.code, "NOT_FOUND");
});

test("a call ends when its caller says so, and when its time is over", async () => {
  const shop = createShop({ baseUrl });
  const reason = new Error("no longer needed");
  await assert.rejects(
    shop.inventory.listItems({}, { signal: AbortSignal.abort(reason) }),
    (error: unknown) => error === reason,
  );
  const slow = createShop({
    baseUrl,
    fetch: (url, init) =>
      new Promise((_, reject) => {
        init!.signal!.addEventListener("abort", () => reject(new Error(`ended: ${url}`)));
      }),
  });
  await assert.rejects(slow.inventory.listItems({}, { timeoutMs: 20 }), {
    code: "DEADLINE_EXCEEDED",
  });
});
