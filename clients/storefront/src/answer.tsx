/** Answers of the shop, from the moment when they are asked for: late ones, and those that fail. */
import { ApiError, type CallOptions } from "shop-client";
import type { ComponentChildren, JSX } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { Notice } from "./controls.js";
import { place, to } from "./router.js";

const LATE_MS = 2_500;
const AGAIN_MS = 8_000;

/** What is known of an answer. */
export type Answer<T> =
  | { readonly state: "waiting" }
  | { readonly state: "here"; readonly value: T }
  | { readonly state: "failed"; readonly error: unknown };

/** Something that was asked for. */
export interface Asked<T> {
  readonly answer: Answer<T>;
  /** Ask again. What is there stays until there is something newer. */
  again(): void;
  /** Put something newer in the place of the answer, such as what another call has answered. */
  replace(value: T): void;
}

const WAITING = { state: "waiting" } as const;

/** Whether the server was not there or did not answer in time, so that it may be back later. */
export function isAway(error: unknown): boolean {
  return error instanceof ApiError && (error.code === "UNAVAILABLE" || error.code === "DEADLINE_EXCEEDED");
}

/**
 * Ask for something when a component appears, and again when what it depends on changes.
 *
 * What is away is asked for again now and then, until it is back.
 *
 * @param ask - asks; its signal ends the call when nobody waits for the answer any more.
 * @param inputs - what the question depends on.
 */
export function useAnswer<T>(
  ask: (options: CallOptions) => Promise<T>,
  inputs: readonly (string | number | boolean | null)[],
): Asked<T> {
  const key = JSON.stringify(inputs);
  const [known, setKnown] = useState<{ key: string; answer: Answer<T> }>({ key, answer: WAITING });
  const [round, setRound] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;

  useEffect(() => {
    const ended = new AbortController();
    latest.current({ signal: ended.signal }).then(
      (value) => {
        if (!ended.signal.aborted) {
          setKnown({ key, answer: { state: "here", value } });
        }
      },
      (error: unknown) => {
        if (!ended.signal.aborted) {
          setKnown({ key, answer: { state: "failed", error } });
        }
      },
    );
    return () => ended.abort();
  }, [key, round]);

  const answer = known.key === key ? known.answer : WAITING;
  const away = answer.state === "failed" && isAway(answer.error);

  useEffect(() => {
    if (!away) {
      return;
    }
    const ask = (): void => setRound((before) => before + 1);
    const timer = setInterval(() => document.hidden || ask(), AGAIN_MS);
    addEventListener("online", ask);
    return () => {
      clearInterval(timer);
      removeEventListener("online", ask);
    };
  }, [away]);

  const again = useCallback(() => {
    setKnown((before) => (before.answer.state === "failed" ? { key, answer: WAITING } : before));
    setRound((before) => before + 1);
  }, [key]);
  const replace = useCallback(
    (value: T) => setKnown({ key, answer: { state: "here", value } }),
    [key],
  );
  return { answer, again, replace };
}

/** Say what went wrong, to somebody who can do nothing but try again. */
export function problemOf(what: string, error: unknown): string {
  if (!(error instanceof ApiError)) {
    return `Something went wrong here. ${error instanceof Error ? error.message : ""}`.trim();
  }
  switch (error.code) {
    case "UNAVAILABLE":
      return `${what} cannot be reached right now. The rest of the shop works.`;
    case "DEADLINE_EXCEEDED":
      return `${what} did not answer in time. The rest of the shop works.`;
    case "UNAUTHENTICATED":
      return "Your session has ended. Please sign in again.";
    case "RESOURCE_EXHAUSTED":
      return `Too much is being asked of the shop right now. Please try again in a moment.`;
    default:
      return error.message;
  }
}

interface FailureProps {
  /** What has failed, such as "The catalogue". */
  readonly what: string;
  readonly error: unknown;
  readonly again: () => void;
}

/** Says in the place of a part that it is not there, and why. */
export function Failure({ what, error, again }: FailureProps): JSX.Element {
  if (error instanceof ApiError && error.code === "UNAUTHENTICATED") {
    return <SignInFirst why="Your session has ended." />;
  }
  return (
    <Notice kind="problem">
      <p>{problemOf(what, error)}</p>
      <button type="button" class="button" onClick={again}>
        Try again
      </button>
    </Notice>
  );
}

/** Says that somebody has to sign in, and leads there and back. */
export function SignInFirst({ why }: { readonly why: string }): JSX.Element {
  const { path } = place.value;
  return (
    <Notice>
      <p>{why}</p>
      <a class="button" href={to("/sign-in", { next: path })}>
        Sign in
      </a>
    </Notice>
  );
}

interface AnsweredProps<T> {
  readonly of: Asked<T>;
  /** What was asked, such as "The catalogue". */
  readonly what: string;
  /** What stands in its place until it is there: as large as that will be. */
  readonly waiting: ComponentChildren;
  readonly children: (value: T) => ComponentChildren;
}

/** Shows an answer; until it is there, what stands in its place; and what went wrong. */
export function Answered<T>({ of, what, waiting, children }: AnsweredProps<T>): JSX.Element {
  switch (of.answer.state) {
    case "here":
      return <>{children(of.answer.value)}</>;
    case "failed":
      return <Failure what={what} error={of.answer.error} again={of.again} />;
    case "waiting":
      return <Waiting what={what}>{waiting}</Waiting>;
  }
}

function Waiting({ what, children }: { what: string; children: ComponentChildren }): JSX.Element {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), LATE_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="waiting">
      <div aria-hidden="true">{children}</div>
      <p class={late ? "late" : "hidden"} role="status">
        {late ? `${what} is taking longer than usual …` : "One moment …"}
      </p>
    </div>
  );
}
