import assert from "node:assert/strict";
import test from "node:test";

import type { DeadLetter } from "shop-client/contract/v1/dead_letters";
import { shop } from "storefront";
import { absent, away, fails, press, refusal, screen, showPart, testAsking, when } from "storefront/testing";

import { notifications } from "./fragment.js";

const { listDeadLetters, replayDeadLetter, dropDeadLetter } = shop.notificationsDeadLetters;
const NONE = "None: every event was handled.";

function letter(eventId: string, key = "7"): DeadLetter {
  return {
    eventId,
    type: "orders.v1.OrderConfirmed",
    source: "orders",
    key,
    publishedAt: "2026-05-31T12:00:00Z",
    attempts: 8,
    reason: "UNAVAILABLE: no mail server",
  };
}

async function shows(...letters: readonly DeadLetter[]): Promise<void> {
  when(listDeadLetters, async () => ({ deadLetters: [...letters], nextPageToken: "" }));
  await showPart("deadLetters", {}, notifications);
}

testAsking({
  asks: listDeadLetters,
  answer: { deadLetters: [letter("e1")], nextPageToken: "" },
  sees: "UNAVAILABLE: no mail server",
  what: "The notifications",
  shows: () => showPart("deadLetters", {}, notifications),
});

test("that there is none is good news", async () => {
  await shows();
  await screen.findByText(NONE);
});

test("a dead letter says what it is, why it failed, and which event it was", async () => {
  await shows(letter("e1"));
  await screen.findByRole("heading", { name: "OrderConfirmed about 7" });
  screen.getByText("UNAVAILABLE: no mail server");
  screen.getByText(/From orders, .* tried 8 times\. Event e1/);
});

test("what is tried again leaves the list, and the focus stays near", async () => {
  await shows(letter("e1"), letter("e2", "8"));
  const requests = when(replayDeadLetter, async () => ({}));
  await press("Try again: OrderConfirmed about 7");
  assert.deepEqual(requests.map(({ eventId }) => eventId), ["e1"]);
  absent(screen.queryByRole("heading", { name: "OrderConfirmed about 7" }));
  screen.getByRole("heading", { name: "OrderConfirmed about 8" });
  assert.equal(document.activeElement?.textContent, "The notifications");
  await screen.findByText("OrderConfirmed is tried again.");
});

test("nothing is dropped before somebody has said so twice", async () => {
  await shows(letter("e1"));
  const requests = when(dropDeadLetter, async () => ({}));
  await press("Drop …: OrderConfirmed about 7");
  screen.getByRole("heading", { name: "Drop OrderConfirmed about 7 for good?" });
  await press("Keep it");
  assert.equal(requests.length, 0);
  await press("Drop …: OrderConfirmed about 7");
  await press("Drop it");
  assert.deepEqual(requests.map(({ eventId }) => eventId), ["e1"]);
  await screen.findByText(NONE);
});

test("what somebody else has decided about is told, and stays until one looks again", async () => {
  await shows(letter("e1"));
  when(replayDeadLetter, fails(refusal(replayDeadLetter, { name: "DeadLetterNotFound", fields: { eventId: "e1" } })));
  await press("Try again: OrderConfirmed about 7");
  await screen.findByText("Somebody has decided about it already.");
});

test("a service that goes away meanwhile leaves the letters where they are", async () => {
  await shows(letter("e1"));
  when(replayDeadLetter, fails(away()));
  await press("Try again: OrderConfirmed about 7");
  await screen.findByText("The notifications cannot be reached right now. The rest of the shop works.");
  screen.getByRole("heading", { name: "OrderConfirmed about 7" });
});

test("further letters come below those that are shown", async () => {
  const requests = when(listDeadLetters, async (request) =>
    request?.pageToken === "2"
      ? { deadLetters: [letter("e2", "8")], nextPageToken: "" }
      : { deadLetters: [letter("e1")], nextPageToken: "2" },
  );
  await showPart("deadLetters", {}, notifications);
  await press("Show more");
  assert.equal(screen.getAllByRole("heading", { name: /OrderConfirmed about/ }).length, 2);
  absent(screen.queryByRole("button", { name: "Show more" }));
  assert.deepEqual(requests.map((each) => each?.pageToken ?? ""), ["", "2"]);
});
