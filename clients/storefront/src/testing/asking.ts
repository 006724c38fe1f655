/** What every part owes its visitors that asks a service when it appears. */
import assert from "node:assert/strict";
import test from "node:test";

import { screen, within } from "@testing-library/dom";

import { absent, press, stopClock } from "./page.js";
import { away, fails, type Method, never, sessionEnded, when } from "./shop.js";

interface AskingPart<Request, Answer> {
  /** What is asked, such as `shop.inventory.getItem`. */
  readonly asks: Method<Request, Promise<Answer>>;
  /** An answer, and words that are shown of it. */
  readonly answer: Answer;
  readonly sees: string;
  /** How the service is called when it is away, such as "The catalogue". */
  readonly what: string;
  /** Shows the part. */
  readonly shows: () => Promise<void>;
}

/** Test that a part says when its answer is late, away or refused, and goes on by itself and when asked. */
export function testAsking<Request, Answer>(part: AskingPart<Request, Answer>): void {
  const { asks, answer, sees, what, shows } = part;
  const answers = async (): Promise<Answer> => answer;
  const late = `${what} is taking longer than usual …`;
  const isAway = `${what} cannot be reached right now. The rest of the shop works.`;

  test(`who waits for ${what.toLowerCase()} is told so, and told again when it takes long`, async () => {
    const pass = stopClock();
    when(asks, never);
    await shows();
    screen.getByText("One moment …", { selector: "[role=status]" });
    absent(screen.queryByText(late));
    await pass(3_000);
    screen.getByText(late, { selector: "[role=status]" });
  });

  test(`${what.toLowerCase()} being away is told, and trying again brings what was asked for`, async () => {
    when(asks, fails(away()));
    await shows();
    within(await screen.findByRole("alert")).getByText(isAway);
    when(asks, answers);
    await press("Try again");
    await screen.findAllByText(sees);
    absent(screen.queryByText(isAway));
  });

  test(`${what.toLowerCase()} is shown by itself when it is back`, async () => {
    const pass = stopClock();
    when(asks, fails(away()));
    await shows();
    screen.getByText(isAway);
    when(asks, answers);
    await pass(9_000);
    screen.getAllByText(sees);
  });

  test(`a session that has ended while ${what.toLowerCase()} was asked leads to signing in`, async () => {
    when(asks, fails(sessionEnded()));
    await shows();
    await screen.findByText("Your session has ended.");
    const [link] = screen.getAllByRole("link", { name: "Sign in" }).slice(-1);
    assert.match(link?.getAttribute("href") ?? "", /^#\/sign-in\?next=%2F/);
  });
}
