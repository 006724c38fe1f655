/** Forms: what is sent, what is under way, and what was refused. */
import { ApiError } from "shop-client";
import type { TargetedSubmitEvent } from "preact";
import { useState } from "preact/hooks";

import { problemOf } from "./answer.js";

/** A form, and what has become of it. */
export interface Submission {
  readonly busy: boolean;
  /** What went wrong, in words; empty when nothing did. */
  readonly problem: string;
  /** What is wrong with fields, by the names that the contract gives them. */
  readonly problems: Readonly<Record<string, string>>;
  /** What a form does when it is sent. */
  readonly onSubmit: (event: TargetedSubmitEvent<HTMLFormElement>) => void;
  /** Do the same without a form. */
  readonly submit: () => void;
}

/** Give a field of a form as text. */
export function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}

/**
 * Send a form once at a time, and say what was refused.
 *
 * @param what - whom it is sent to, such as "The catalogue".
 * @param send - sends it.
 * @param explain - says in words why something was refused; undefined for what it does not know.
 */
export function useSubmission(
  what: string,
  send: (form: FormData) => Promise<void>,
  explain: (thrown: unknown) => string | undefined = () => undefined,
): Submission {
  const [busy, setBusy] = useState(false);
  const [thrown, setThrown] = useState<unknown>(undefined);

  const start = (form: FormData): void => {
    if (busy) {
      return;
    }
    setBusy(true);
    setThrown(undefined);
    send(form)
      .catch(setThrown)
      .finally(() => setBusy(false));
  };
  const fields = thrown instanceof ApiError ? thrown.fieldProblems : [];
  return {
    busy,
    problem: thrown === undefined ? "" : (explain(thrown) ?? problemOf(what, thrown)),
    problems: Object.fromEntries(fields.map(({ field, detail }) => [field, detail])),
    onSubmit(event) {
      event.preventDefault();
      start(new FormData(event.currentTarget));
    },
    submit: () => start(new FormData()),
  };
}
