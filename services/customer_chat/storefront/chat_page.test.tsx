import assert from "node:assert/strict";
import test from "node:test";

import { ApiError } from "shop-client";
import type { Entry, SendMessageError } from "shop-client/customer_chat/v1/api";
import { shop, visit } from "storefront";
import { absent, away, fails, fill, press, refusal, screen, settled, show, signIn, when } from "storefront/testing";

import { customerChat as fragment } from "./fragment.js";

const { openChat, sendMessage, closeChat, streamChat } = shop.customerChat;

const CHAT = {
  chatId: "7",
  state: "CHAT_STATE_WAITING",
  openedAt: "2026-05-31T12:00:00Z",
  lastPosition: 0n,
};

function entry(position: bigint, changed: Partial<Entry> = {}): Entry {
  return {
    position,
    kind: "ENTRY_KIND_MESSAGE",
    participant: "PARTICIPANT_CUSTOMER",
    at: "2026-05-31T12:00:00Z",
    messageId: "1",
    text: `word ${position}`,
    ...changed,
  };
}

/** A chat in which a test says what is heard. */
class Line {
  /** From where on the page has listened, each time. */
  readonly after: bigint[] = [];
  #hear: (entry: Entry) => void = () => undefined;
  #break: (error: unknown) => void = () => undefined;

  constructor() {
    when(streamChat, ({ after = 0n }, { signal }) => {
      this.after.push(after);
      return this.#listen(signal ?? new AbortController().signal);
    });
  }

  async says(...entries: Entry[]): Promise<void> {
    for (const each of entries) {
      this.#hear(each);
      await settled();
    }
  }

  async breaks(error: unknown): Promise<void> {
    this.#break(error);
    await settled();
  }

  async *#listen(signal: AbortSignal): AsyncGenerator<Entry, void> {
    signal.addEventListener("abort", () => this.#break(signal.reason));
    for (;;) {
      yield await new Promise<Entry>((resolve, reject) => {
        this.#hear = resolve;
        this.#break = reject;
      });
    }
  }
}

/** The page of a chat that was begun. */
async function begins(): Promise<Line> {
  await signIn();
  when(openChat, async () => CHAT);
  const line = new Line();
  await show("/chat", fragment);
  await press("Begin a chat");
  await screen.findByRole("log");
  return line;
}

function heard(): (string | null | undefined)[] {
  return screen.getAllByRole("listitem").flatMap((each) => {
    const own = each.className.startsWith("message") || each.className === "event";
    return own ? [each.querySelector("p")?.textContent ?? each.textContent] : [];
  });
}

test("who is not signed in is led to signing in, and back", async () => {
  await show("/chat", fragment);
  const link = screen.getByRole("link", { name: "Sign in" });
  assert.equal(link.getAttribute("href"), "#/sign-in?next=%2Fchat");
});

test("a chat that cannot be opened says so, and is opened when the button is pressed again", async () => {
  await signIn();
  when(openChat, fails(away()));
  await show("/chat", fragment);
  await press("Begin a chat");
  await screen.findByText("The chat cannot be reached right now. The rest of the shop works.");
  when(openChat, async () => CHAT);
  new Line();
  await press("Begin a chat");
  await screen.findByText("Nothing was said yet.");
});

test("what is said is heard in order, with who says it", async () => {
  const line = await begins();
  await line.says(
    entry(1n),
    entry(2n, { kind: "ENTRY_KIND_JOINED", participant: "PARTICIPANT_AGENT", text: "" }),
    entry(3n, { participant: "PARTICIPANT_AGENT" }),
  );
  assert.deepEqual(heard(), ["word 1", "Somebody of the shop has joined.", "word 3"]);
  screen.getByText(/^You,/);
  screen.getByText(/^The shop,/);
});

test("a message is sent without what is around it, and the form is empty again", async () => {
  await begins();
  fill("Your message", "  Is it oak?  ");
  const requests = when(sendMessage, async () => entry(1n));
  await press("Send");
  assert.equal(requests.length, 1);
  assert.equal(requests[0]?.text, "Is it oak?");
  const field = screen.getByLabelText("Your message");
  assert.ok(field instanceof HTMLTextAreaElement);
  assert.equal(field.value, "");
});

test("blanks are no message", async () => {
  await begins();
  fill("Your message", "   ");
  const requests = when(sendMessage, async () => entry(1n));
  await press("Send");
  assert.equal(requests.length, 0);
});

test("a message of which nobody knows whether it arrived is sent again as the same, and another is not", async () => {
  await begins();
  const requests = when(sendMessage, fails(away()));
  fill("Your message", "Is it oak?");
  await press("Send");
  await screen.findByText("The chat cannot be reached right now. The rest of the shop works.");
  await press("Send");
  fill("Your message", "Is it ash?");
  await press("Send");
  const [first, second, third] = requests.map((each) => each.messageId);
  assert.ok(first);
  assert.equal(second, first);
  assert.notEqual(third, first);
});

for (const [error, words] of [
  [
    { name: "TooManyMessages", fields: { maximum: 5, seconds: 3 } },
    "That was a lot at once. Please wait a moment, then send it again.",
  ],
  [{ name: "ChatClosed", fields: { chatId: "7" } }, "The chat is closed."],
] satisfies [SendMessageError, string][]) {
  test(`a refusal with ${error.name} is told, and the words are still there`, async () => {
    await begins();
    fill("Your message", "Is it oak?");
    when(sendMessage, fails(refusal(sendMessage, error)));
    await press("Send");
    await screen.findByText(words);
    screen.getByDisplayValue("Is it oak?");
  });
}

test("a line that broke off is told, and listened to again from where it was", async () => {
  const line = await begins();
  await line.says(entry(1n), entry(2n));
  await line.breaks(away());
  await screen.findByText("The chat cannot be reached right now. The rest of the shop works.");
  await press("Try again");
  await line.says(entry(3n));
  assert.deepEqual(line.after, [0n, 2n]);
  assert.deepEqual(heard(), ["word 1", "word 2", "word 3"]);
});

test("a session that has ended is told where the chat was", async () => {
  const line = await begins();
  await line.breaks(new ApiError("UNAUTHENTICATED", "the session has ended"));
  await screen.findByText("Your session has ended.");
});

test("a chat that is gone is closed, and another can be begun", async () => {
  const line = await begins();
  await line.breaks(refusal(streamChat, { name: "ChatNotFound", fields: { chatId: "7" } }));
  await screen.findByText("This chat is closed.");
  await press("Begin another");
  screen.getByRole("button", { name: "Begin a chat" });
});

test("a chat is closed, and nothing can be said in it any more", async () => {
  const line = await begins();
  const requests = when(closeChat, async () => CHAT);
  await press("Close the chat");
  assert.deepEqual(requests, [{ chatId: "7" }]);
  await line.says(entry(1n, { kind: "ENTRY_KIND_CLOSED", text: "" }));
  await screen.findByText("This chat is closed.");
  absent(screen.queryByLabelText("Your message"));
});

test("who leaves the page does not listen any more", async () => {
  let signal: AbortSignal | undefined;
  const line = await begins();
  when(streamChat, (_, options) => {
    signal = options.signal;
    return (async function* () {})();
  });
  await line.breaks(away());
  await press("Try again");
  await show("/nowhere", fragment);
  assert.equal(signal?.aborted, true);
});

test("a chat is of who has opened it, and of nobody who signs in afterwards", async () => {
  await begins();
  visit.signedIn.set(false);
  await signIn();
  await screen.findByRole("button", { name: "Begin a chat" });
});
