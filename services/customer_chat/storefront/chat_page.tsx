/** Talk with the shop. */
import type { Entry } from "shop-client/customer_chat/v1/api";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import {
  Failure,
  inTime,
  kept,
  Notice,
  PageTitle,
  shop,
  SignInFirst,
  textOf,
  useObserved,
  useSubmission,
  visit,
} from "storefront";

import { useChat } from "./conversation.js";

const MAXIMUM_CHARACTERS = 4_000;

const { openChat, sendMessage, closeChat, streamChat } = shop.customerChat;

/** The chat that was opened last in this browser. */
const current = kept("chat");

// It is of who has opened it, and of nobody who signs in afterwards.
visit.signedIn.observe((signedIn) => {
  if (!signedIn) {
    current.set(null);
  }
});

export function ChatPage(): JSX.Element {
  const signedIn = useObserved(visit.signedIn);
  const chatId = useObserved(current);
  return (
    <div class="narrow">
      <PageTitle>Chat with us</PageTitle>
      {!signedIn && <SignInFirst why="Sign in, so that we know whom we talk to." />}
      {signedIn && (chatId === null ? <Beginning /> : <Talk key={chatId} chatId={chatId} />)}
    </div>
  );
}

function Beginning(): JSX.Element {
  const { busy, problem, submit } = useSubmission("The chat", async () => {
    current.set((await openChat({})).chatId);
  });
  return (
    <>
      <p>Ask about an item, an order, or anything else. Somebody of the shop joins as soon as they can.</p>
      {problem && (
        <Notice kind="problem">
          <p>{problem}</p>
        </Notice>
      )}
      <button type="button" class="button primary" onClick={submit} aria-disabled={busy}>
        Begin a chat
      </button>
    </>
  );
}

function Talk({ chatId }: { readonly chatId: string }): JSX.Element {
  const { entries, closed, lost, again } = useChat(chatId);
  const log = useRef<HTMLDivElement>(null);
  useEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [entries]);
  const closing = useSubmission("The chat", async () => {
    await closeChat({ chatId });
  });
  const gone = streamChat.refused(lost);
  return (
    <>
      {/* Can be scrolled, so the keyboard must reach it. */}
      <div class="chat" role="log" aria-label="What was said" ref={log} tabIndex={0}>
        <ol>
        {entries.map((entry) => (
          <Line key={String(entry.position)} entry={entry} />
        ))}
        {entries.length === 0 && <li class="event">Nothing was said yet.</li>}
        </ol>
      </div>
      {lost !== undefined && !gone && <Failure what="The chat" error={lost} again={again} />}
      {closed || gone ? (
        <Notice>
          <p>This chat is closed.</p>
          <button type="button" class="button" onClick={() => current.set(null)}>
            Begin another
          </button>
        </Notice>
      ) : (
        <>
          <MessageForm chatId={chatId} />
          {closing.problem && (
            <Notice kind="problem">
              <p>{closing.problem}</p>
            </Notice>
          )}
          <button type="button" class="quiet" onClick={closing.submit}>
            Close the chat
          </button>
        </>
      )}
    </>
  );
}

function Line({ entry: { kind, participant, at, text } }: { readonly entry: Entry }): JSX.Element {
  const own = participant === "PARTICIPANT_CUSTOMER";
  if (kind !== "ENTRY_KIND_MESSAGE") {
    const what = kind === "ENTRY_KIND_JOINED" ? "Somebody of the shop has joined." : "The chat was closed.";
    return <li class="event">{what}</li>;
  }
  return (
    <li class={own ? "message own" : "message"}>
      <span class="hint">
        {own ? "You" : "The shop"}, <time dateTime={at}>{inTime(at)}</time>
      </span>
      <p>{text}</p>
    </li>
  );
}

/** Say why a message was refused; undefined for what else went wrong. */
function refusal(thrown: unknown): string | undefined {
  if (!sendMessage.refused(thrown)) {
    return undefined;
  }
  switch (thrown.error.name) {
    case "ChatClosed":
    case "ChatNotFound":
      return "The chat is closed.";
    case "TooManyMessages":
      return "That was a lot at once. Please wait a moment, then send it again.";
    default:
      return undefined;
  }
}

function MessageForm({ chatId }: { readonly chatId: string }): JSX.Element {
  const form = useRef<HTMLFormElement>(null);
  /** The message that was tried last: what is sent again is the same message. */
  const tried = useRef({ text: "", messageId: "" });
  const { busy, problem, onSubmit } = useSubmission(
    "The chat",
    async (data) => {
      const text = textOf(data, "text").trim();
      if (text === "") {
        return;
      }
      if (tried.current.text !== text) {
        const [random] = crypto.getRandomValues(new BigUint64Array(1));
        tried.current = { text, messageId: String(random) };
      }
      await sendMessage({ chatId, ...tried.current });
      tried.current = { text: "", messageId: "" };
      form.current?.reset();
    },
    refusal,
  );
  return (
    <form class="form message-form" ref={form} onSubmit={onSubmit}>
      <label for="message">Your message</label>
      <textarea
        id="message"
        name="text"
        rows={3}
        maxLength={MAXIMUM_CHARACTERS}
        required
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            form.current?.requestSubmit();
          }
        }}
      />
      {problem && (
        <Notice kind="problem">
          <p>{problem}</p>
        </Notice>
      )}
      <button class="button primary" type="submit" aria-disabled={busy}>
        Send
      </button>
    </form>
  );
}
