/** Conversations in Node with a running shop whose connections break, and with servers that misbehave. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";

import { ApiError, createShop, memoryTokens } from "shop-client";

const baseUrl = process.env["SHOP_URL"]!;

/** Listen on a free port of this machine. */
async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A WebSocket of the platform to another server than the one of the calls. */
function webSocketTo(address: string) {
  return class extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url.replace(/^ws:\/\/[^/]+/, address.replace(/^http/, "ws")), protocols);
    }
  };
}

test("a conversation whose connection is cut goes on without loss or repetition", async () => {
  const tokens = memoryTokens();
  const shop = createShop({ baseUrl, tokens });
  const who = { email: `cut-${Date.now()}@example.org`, password: "correct horse" };
  await shop.authentication.registerUser(who);
  await shop.authentication.authenticate(who);
  const { chatId } = await shop.customerChat.openChat();
  const { hostname, port } = new URL(baseUrl);
  const open = new Set<Socket>();
  let connections = 0;
  const between = createServer((near) => {
    connections += 1;
    const far = connect(Number(port), hostname);
    for (const [from, to] of [[near, far], [far, near]] as const) {
      open.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => to.destroy());
      from.pipe(to);
    }
  });
  const address = await listening(between);
  const cut = createShop({ baseUrl, tokens, webSocket: webSocketTo(address) });
  const talk = cut.customerChat.talkInChat({ chatId });
  try {
    const heard = [];
    for (let at = 1; at <= 9; at++) {
      const text = String(at);
      // While it is lost, others go on talking.
      if (at % 3 === 0) {
        open.forEach((socket) => socket.destroy());
        open.clear();
        await shop.customerChat.sendMessage({ chatId, messageId: text, text });
      } else {
        await talk.send({ message: { messageId: text, text } });
      }
      const { value } = await talk.next();
      assert.ok(value?.what?.case === "entry");
      heard.push([value.what.value.position, value.what.value.text]);
    }
    assert.deepEqual(heard, Array.from({ length: 9 }, (_, at) => [BigInt(at + 1), String(at + 1)]));
    assert.equal(connections, 4);
    await shop.customerChat.closeChat({ chatId });
    const last = await talk.next();
    assert.ok(last.value?.what?.case === "entry");
    assert.equal(last.value.what.value.kind, "ENTRY_KIND_CLOSED");
    assert.equal((await talk.next()).done, true);
  } finally {
    talk.close();
    between.close();
    open.forEach((socket) => socket.destroy());
  }
});

test("a conversation with a server that reads nothing ends, and keeps little of what was said", async () => {
  const open: Socket[] = [];
  const deaf = createServer((socket) => {
    open.push(socket);
    socket.on("error", () => undefined);
    socket.once("data", (head) => {
      socket.pause();
      const key = /sec-websocket-key: (\S+)/i.exec(String(head))![1]!;
      // Source: https://www.rfc-editor.org/rfc/rfc6455#section-1.3.
      const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n" +
          `sec-websocket-accept: ${accept.digest("base64")}\r\n\r\n`,
      );
    });
  });
  const shop = createShop({ baseUrl: await listening(deaf) });
  const talk = shop.customerChat.talkInChat({ chatId: "1" });
  try {
    const text = "x".repeat(60_000);
    const thrown = await (async () => {
      for (let at = 0; at < 2_000; at++) {
        await talk.send({ message: { messageId: String(at), text } });
      }
    })().catch((error: unknown) => error);
    assert.ok(thrown instanceof ApiError);
    assert.equal(thrown.code, "RESOURCE_EXHAUSTED");
    await assert.rejects(talk.next(), { code: "RESOURCE_EXHAUSTED" });
    await assert.rejects(talk.send({}), { code: "CANCELLED" });
  } finally {
    talk.close();
    open.forEach((socket) => socket.destroy());
    deaf.close();
  }
});
