/** Lists that come page by page, and grow as somebody asks for more. */
import type { CallOptions } from "shop-client";
import type { JSX } from "preact";

import { announce } from "./announcer.js";
import { type Asked, useAnswer } from "./answer.js";
import { Notice } from "./controls.js";
import { type Submission, useSubmission } from "./submit.js";
import { counted } from "./words.js";

/** A part of a list, and where the rest of it is. */
export interface Pages<Item> {
  readonly items: readonly Item[];
  /** What the next page is asked for with; empty when there is none. */
  readonly next: string;
}

/** A list, as far as it was asked for. */
export interface Listed<Item> {
  readonly asked: Asked<Pages<Item>>;
  readonly more: Submission;
  /** Leave an item out, since it is gone. */
  without(isGone: (item: Item) => boolean): void;
}

/**
 * Ask for a list when a component appears.
 *
 * @param what - whom it is asked of, such as "The orders".
 * @param ask - gives the page that a token stands for; the first one for an empty token.
 */
export function usePages<Item>(
  what: string,
  ask: (pageToken: string, options: CallOptions) => Promise<Pages<Item>>,
): Listed<Item> {
  const asked = useAnswer((options) => ask("", options), []);
  const here = asked.answer.state === "here" ? asked.answer.value : null;
  const more = useSubmission(what, async () => {
    if (here) {
      const page = await ask(here.next, {});
      asked.replace({ items: [...here.items, ...page.items], next: page.next });
      announce(`${counted(here.items.length + page.items.length, "entry", "entries")} are shown.`);
    }
  });
  return {
    asked,
    more,
    without(isGone) {
      if (here) {
        asked.replace({ ...here, items: here.items.filter((item) => !isGone(item)) });
      }
    },
  };
}

interface MoreProps {
  readonly pages: Pages<unknown>;
  readonly more: Submission;
}

/** Below a list: asks for its next page, if there is one. */
export function More({ pages, more }: MoreProps): JSX.Element {
  return (
    <>
      {more.problem && (
        <Notice kind="problem">
          <p>{more.problem}</p>
        </Notice>
      )}
      {pages.next && (
        <p class="more">
          <button type="button" class="button" onClick={more.submit} aria-disabled={more.busy}>
            Show more
          </button>
        </p>
      )}
    </>
  );
}
