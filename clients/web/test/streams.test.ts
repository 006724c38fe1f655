/** Streams over a `fetch` and a WebSocket that the tests write. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { ApiError, createShop, memoryTokens } from "shop-client";

const EVENT = (position: number): string =>
  `id: ${position}\ndata: {"position":"${position}","at":"2024-05-31T12:00:00Z","text":"x"}\n\n`;

/** A shop whose streams have these pieces, one list a connection, and then break off. */
function shopOf(...connections: (readonly string[] | "silent")[]) {
  const requests: Request[] = [];
  const shop = createShop({
    baseUrl: "http://shop.test",
    retry: { baseDelayMs: 1, maximumDelayMs: 1 },
    fetch: async (url, init) => {
      const request = new Request(url, init);
      requests.push(request);
      const pieces = connections[requests.length - 1];
      assert.ok(pieces, "it was asked for once too often");
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          init?.signal?.addEventListener("abort", () => controller.error(init.signal?.reason));
          if (pieces === "silent") {
            return;
          }
          for (const piece of pieces) {
            controller.enqueue(new TextEncoder().encode(piece));
          }
          if (!pieces.some((piece) => piece.includes(": hold"))) {
            controller.close();
          }
        },
      });
      return new Response(body);
    },
  });
  return { stream: shop.customerChat.streamChat, requests };
}

test("a stream goes on after the last event that was received, until its end is said", async () => {
  const { stream, requests } = shopOf(
    ["retry: 1\n\n", EVENT(1), EVENT(2)],
    [],
    [EVENT(3), "event: end\ndata: {}\n\n"],
  );
  const positions = [];
  for await (const { position } of stream({ chatId: "1", after: 0n })) {
    positions.push(position);
  }
  assert.deepEqual(positions, [1n, 2n, 3n]);
  const ids = requests.map(({ headers }) => headers.get("last-event-id"));
  assert.deepEqual(ids, [null, "2", "2"]);
});

test("an event that was not whole is not lost", async () => {
  const { stream } = shopOf(
    [EVENT(1), EVENT(2).slice(0, 20)],
    [EVENT(2), "event: end\ndata: {}\n\n"],
  );
  const positions = [];
  for await (const { position } of stream({ chatId: "1" })) {
    positions.push(position);
  }
  assert.deepEqual(positions, [1n, 2n]);
});

test("an error ends a stream", async () => {
  const problem = { code: "NOT_FOUND", error: "ChatNotFound", fields: { chatId: "1" }, detail: "no" };
  const { stream, requests } = shopOf([
    EVENT(1),
    `event: error\ndata: ${JSON.stringify(problem)}\n\n`,
  ]);
  const entries = stream({ chatId: "1" });
  await entries.next();
  const error: unknown = await entries.next().catch((each: unknown) => each);
  assert.ok(stream.refused(error));
  assert.equal(error.error.fields.chatId, "1");
  assert.equal(requests.length, 1);
});

test("who leaves the loop ends the request", async () => {
  const { stream, requests } = shopOf([EVENT(1), ": hold\n\n"]);
  for await (const entry of stream({ chatId: "1" })) {
    assert.equal(entry.position, 1n);
    break;
  }
  assert.equal(requests[0]!.signal.aborted, true);
});

test("a stream ends by its signal and when its time is over", async () => {
  const controller = new AbortController();
  const { stream } = shopOf("silent", "silent");
  const reason = new Error("left");
  setImmediate(() => controller.abort(reason));
  await assert.rejects(
    stream({ chatId: "1" }, { signal: controller.signal }).next(),
    (error) => error === reason,
  );
  await assert.rejects(stream({ chatId: "1" }, { timeoutMs: 10 }).next(), {
    code: "DEADLINE_EXCEEDED",
  });
});

test("a stream in which nothing is heard is asked for anew", async () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  try {
    const { stream, requests } = shopOf("silent", [EVENT(1), ": hold\n\n"]);
    const next = stream({ chatId: "1" }).next();
    await turns();
    mock.timers.tick(44_999);
    await turns();
    assert.equal(requests.length, 1);
    mock.timers.tick(1);
    await turns();
    mock.timers.tick(10);
    assert.equal((await next).value?.position, 1n);
  } finally {
    mock.timers.reset();
  }
});

/** A WebSocket that does what the test says. */
class FakeSocket extends EventTarget {
  static last: FakeSocket;
  readonly sent: string[] = [];
  bufferedAmount = 0;
  closedWith: number | undefined;

  readonly url: string;
  readonly protocols: readonly string[];

  constructor(url: string, protocols: readonly string[] = []) {
    super();
    this.url = url;
    this.protocols = protocols;
    FakeSocket.last = this;
  }

  send(text: string): void {
    this.sent.push(text);
  }

  close(code: number): void {
    this.closedWith = code;
  }

  open(): void {
    this.dispatchEvent(new Event("open"));
  }

  hear(text: string): void {
    this.dispatchEvent(new MessageEvent("message", { data: text }));
  }

  end(code: number, reason = ""): void {
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }
}

async function talking() {
  const shop = createShop({
    baseUrl: "https://shop.test/base",
    retry: { baseDelayMs: 1, maximumDelayMs: 1 },
    tokens: memoryTokens({ accessToken: "a", refreshToken: "r", renewAt: Number.MAX_VALUE }),
    webSocket: FakeSocket as unknown as typeof WebSocket,
  });
  const talk = shop.customerChat.talkInChat({ chatId: "1", after: 7n });
  await turns();
  return { talk, socket: FakeSocket.last, refused: shop.customerChat.talkInChat.refused };
}

test("a conversation opens with a token, and its frames leave out what the path says", async () => {
  const { talk, socket } = await talking();
  assert.equal(socket.url, "wss://shop.test/base/v1/chats/1:talk?after=7");
  assert.deepEqual(socket.protocols, ["bearer", "a"]);
  const sending = talk.send({ message: { messageId: "1", text: "hello" } });
  socket.open();
  await sending;
  assert.deepEqual(socket.sent.map((text) => JSON.parse(text) as unknown), [
    { message: { messageId: "1", text: "hello" } },
  ]);
  socket.hear('{"refusal": {"messageId": "1", "reason": "no"}, "later": 1}');
  const heard = (await talk.next()).value?.what;
  assert.deepEqual(heard, { case: "refusal", value: { messageId: "1", reason: "no" } });
  talk.close();
  await turns();
  assert.equal(socket.closedWith, 1000);
  assert.equal((await talk.next()).done, true);
  await assert.rejects(talk.send({}), { code: "CANCELLED" });
});

test("what was heard before the end is still told", async () => {
  const { talk, socket } = await talking();
  socket.open();
  socket.hear("{}");
  socket.end(1000);
  assert.deepEqual([(await talk.next()).done, (await talk.next()).done], [false, true]);
});

for (const [code, reason, expected] of [
  [1001, "", "UNAVAILABLE"],
  [1006, "", "UNAVAILABLE"],
  [1008, "PERMISSION_DENIED: not yours", "PERMISSION_DENIED"],
  [1008, "ChatNotFound: There is no chat.", "NOT_FOUND"],
  [1011, "internal error 1", "INTERNAL"],
  [1012, "", "UNAVAILABLE"],
  [1013, "full", "UNAVAILABLE"],
] as const) {
  test(`a WebSocket that is closed with ${code} ${reason} is ${expected}`, async () => {
    const { talk, socket, refused } = await talking();
    socket.end(code, reason);
    const error: unknown = await talk.next().catch((each: unknown) => each);
    assert.ok(error instanceof ApiError);
    assert.equal(error.code, expected);
    assert.equal(refused(error), reason.startsWith("ChatNotFound"));
    assert.equal((await talk.next()).done, true);
  });
}

const ENTRY = (position: number): string =>
  `{"entry": {"position": "${position}", "at": "2024-05-31T12:00:00Z"}}`;

/** The WebSocket that is opened after another. */
async function successorOf(socket: FakeSocket): Promise<FakeSocket> {
  for (let waits = 0; FakeSocket.last === socket; waits++) {
    assert.ok(waits < 1_000, "no other WebSocket was opened");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return FakeSocket.last;
}

for (const code of [1001, 1006, 1012, 1013]) {
  test(`a conversation that was closed with ${code} goes on after what it has heard`, async () => {
    const { talk, socket } = await talking();
    socket.open();
    socket.hear(ENTRY(8));
    socket.hear('{"refusal": {"messageId": "1", "reason": "no"}}');
    socket.end(code);
    const sending = talk.send({ message: { messageId: "2", text: "again" } });
    const other = await successorOf(socket);
    assert.equal(other.url, "wss://shop.test/base/v1/chats/1:talk?after=8");
    other.open();
    await sending;
    assert.deepEqual([socket.sent.length, other.sent.length], [0, 1]);
    other.hear(ENTRY(9));
    const cases = [];
    for (let at = 0; at < 3; at++) {
      cases.push((await talk.next()).value?.what?.case);
    }
    assert.deepEqual(cases, ["entry", "refusal", "entry"]);
    other.end(1008, "PERMISSION_DENIED: not yours");
    await assert.rejects(talk.next(), { code: "PERMISSION_DENIED" });
  });
}

test("a conversation that is lost before it has heard anything asks for the same", async () => {
  const { talk, socket } = await talking();
  socket.open();
  socket.end(1006);
  assert.equal((await successorOf(socket)).url, socket.url);
  talk.close();
});

test("a conversation that cannot be had again fails in the end", async () => {
  const { talk, socket } = await talking();
  socket.open();
  const heard = talk.next().catch((error: unknown) => error);
  let last = socket;
  for (let times = 0; times < 20; times++) {
    last.end(1006);
    last = await successorOf(last);
  }
  last.end(1006);
  const error = await heard;
  assert.ok(error instanceof ApiError);
  assert.equal(error.code, "UNAVAILABLE");
  await assert.rejects(talk.send({}), { code: "CANCELLED" });
});

test("a conversation that is closed while it is lost stays closed", async () => {
  const { talk, socket } = await talking();
  socket.open();
  socket.end(1006);
  talk.close();
  assert.equal((await talk.next()).done, true);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(FakeSocket.last, socket);
});

test("a conversation that is read too slowly tells what it has, and why it ends", async () => {
  const { talk, socket } = await talking();
  socket.open();
  for (let position = 1; position <= 1_001; position++) {
    socket.hear(ENTRY(position));
  }
  assert.equal(socket.closedWith, 1000);
  for (let position = 1; position <= 1_000; position++) {
    assert.equal((await talk.next()).done, false);
  }
  await assert.rejects(talk.next(), { code: "RESOURCE_EXHAUSTED" });
  assert.equal((await talk.next()).done, true);
});

test("what is sent waits for room, in order", async () => {
  const { talk, socket } = await talking();
  socket.open();
  socket.bufferedAmount = 65_536;
  const sending = ["1", "2"].map((text) => talk.send({ message: { messageId: text, text } }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(socket.sent, []);
  socket.bufferedAmount = 65_535;
  await Promise.all(sending);
  assert.deepEqual(socket.sent.map((each) => /"text":"(.)"/.exec(each)?.[1]), ["1", "2"]);
});

test("no more than 64 frames wait to be sent", async () => {
  const { talk, socket } = await talking();
  const sending = Array.from({ length: 64 }, () => talk.send({}));
  await assert.rejects(talk.send({}), { code: "RESOURCE_EXHAUSTED" });
  socket.open();
  await Promise.all(sending);
  assert.equal(socket.sent.length, 64);
  await talk.send({});
});

test("a conversation that is closed while it connects leaves no WebSocket open", async () => {
  for (let turn = 0; turn < 8; turn++) {
    const shop = createShop({
      baseUrl: "https://shop.test",
      tokens: memoryTokens({ accessToken: "a", refreshToken: "r", renewAt: Number.MAX_VALUE }),
      webSocket: FakeSocket as unknown as typeof WebSocket,
    });
    const before = FakeSocket.last;
    const talk = shop.customerChat.talkInChat({ chatId: "1" });
    for (let passed = 0; passed < turn; passed++) {
      await null;
    }
    talk.close();
    await turns();
    const made = FakeSocket.last === before ? undefined : FakeSocket.last;
    assert.ok(made === undefined || made.closedWith === 1000, `after ${turn} turns`);
  }
});

test("all who wait are told of the end", async () => {
  const { talk, socket } = await talking();
  socket.open();
  const waiting = [talk.next(), talk.next()];
  await turns();
  socket.hear("{}");
  await turns();
  talk.close();
  assert.deepEqual((await Promise.all(waiting)).map(({ done }) => done), [false, true]);
});

test("a frame that no server takes is refused, and the conversation goes on", async () => {
  const { talk, socket } = await talking();
  socket.open();
  const text = "ü".repeat(40_000);
  await assert.rejects(talk.send({ message: { messageId: "1", text } }), { code: "INVALID_ARGUMENT" });
  await talk.send({ message: { messageId: "1", text: "ü" } });
  assert.equal(socket.sent.length, 1);
});

test("a platform without WebSockets is told what to do", async () => {
  const { WebSocket: before } = globalThis;
  Object.assign(globalThis, { WebSocket: undefined });
  try {
    const shop = createShop({ baseUrl: "http://shop.test" });
    const talk = shop.customerChat.talkInChat({ chatId: "1" });
    await assert.rejects(talk.next(), { code: "UNIMPLEMENTED" });
  } finally {
    Object.assign(globalThis, { WebSocket: before });
  }
});

/** Lets everything happen that needs no time. */
async function turns(): Promise<void> {
  for (let at = 0; at < 50; at++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
