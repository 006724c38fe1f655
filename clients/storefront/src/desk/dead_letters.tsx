/** On the desk: events that a service could not handle, until somebody says what becomes of them. */
import type { CallOptions, Shop } from "shop-client";
import type { DeadLetter } from "shop-client/contract/v1/dead_letters";
import type { JSX } from "preact";
import { useId, useRef } from "preact/hooks";

import { announce } from "../announcer.js";
import { Answered } from "../answer.js";
import { Notice, SkeletonLines } from "../controls.js";
import { More, usePages } from "../pages.js";
import { useSubmission } from "../submit.js";
import { counted, inTime } from "../words.js";

const PAGE_SIZE = 20;

interface DeadLettersProps {
  /** Who could not handle them, such as "The orders". */
  readonly of: string;
  /** Calls the service; those of all services are alike. */
  readonly api: Shop["ordersDeadLetters"];
}

/** The dead letters of a service. */
export function DeadLetters({ of, api }: DeadLettersProps): JSX.Element {
  const title = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  const listed = usePages(of, async (pageToken: string, options: CallOptions) => {
    const page = await api.listDeadLetters({ pageSize: PAGE_SIZE, pageToken }, options);
    return { items: page.deadLetters, next: page.nextPageToken };
  });
  const decided = (letter: DeadLetter, news: string): void => {
    listed.without(({ eventId }) => eventId === letter.eventId);
    announce(news);
    // What had the focus is gone.
    heading.current?.focus();
  };
  return (
    <section aria-labelledby={title}>
      <h3 id={title} ref={heading} tabIndex={-1}>
        {of}
      </h3>
      <Answered of={listed.asked} what={of} waiting={<SkeletonLines count={1} />}>
        {(pages) =>
          pages.items.length === 0 && !pages.next ? (
            <p class="hint">None: every event was handled.</p>
          ) : (
            <>
              <ul class="entries">
                {pages.items.map((letter) => (
                  <li key={letter.eventId}>
                    <Letter letter={letter} what={of} api={api} decided={decided} />
                  </li>
                ))}
              </ul>
              <More pages={pages} more={listed.more} />
            </>
          )
        }
      </Answered>
    </section>
  );
}

interface LetterProps {
  readonly letter: DeadLetter;
  readonly what: string;
  readonly api: DeadLettersProps["api"];
  readonly decided: (letter: DeadLetter, news: string) => void;
}

function Letter({ letter, what, api, decided }: LetterProps): JSX.Element {
  const question = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const { eventId, type, source, key, publishedAt, attempts, reason } = letter;
  const name = type.split(".").at(-1) ?? type;
  const replay = useSubmission(
    what,
    async () => {
      await api.replayDeadLetter({ eventId });
      decided(letter, `${name} is tried again.`);
    },
    gone,
  );
  const drop = useSubmission(
    what,
    async () => {
      await api.dropDeadLetter({ eventId });
      dialog.current?.close();
      decided(letter, `${name} is dropped.`);
    },
    gone,
  );
  return (
    <>
      <h4>
        {name} <span class="hint">about {key}</span>
      </h4>
      <p class="reason">{reason}</p>
      <p class="hint">
        From {source}, {inTime(publishedAt)}; tried {counted(attempts, "time")}. Event {eventId}
      </p>
      {replay.problem && (
        <Notice kind="problem">
          <p>{replay.problem}</p>
        </Notice>
      )}
      <div class="row">
        <button
          type="button"
          class="button"
          onClick={replay.submit}
          aria-disabled={replay.busy}
          aria-label={`Try again: ${name} about ${key}`}
        >
          Try again
        </button>
        <button
          type="button"
          class="button danger"
          onClick={() => dialog.current?.showModal()}
          aria-label={`Drop …: ${name} about ${key}`}
        >
          Drop …
        </button>
      </div>
      <dialog ref={dialog} aria-labelledby={question}>
        <h2 id={question}>
          Drop {name} about {key} for good?
        </h2>
        <p>It then never has an effect.</p>
        {drop.problem && (
          <Notice kind="problem">
            <p>{drop.problem}</p>
          </Notice>
        )}
        <div class="row">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Keep it
          </button>
          <button type="button" class="button danger" onClick={drop.submit} aria-disabled={drop.busy}>
            Drop it
          </button>
        </div>
      </dialog>
    </>
  );

  function gone(thrown: unknown): string | undefined {
    return api.replayDeadLetter.refused(thrown) || api.dropDeadLetter.refused(thrown)
      ? "Somebody has decided about it already."
      : undefined;
  }
}
