/** Pages as a browser shows them, of one fragment within the shell. */
import assert from "node:assert/strict";
import { afterEach, mock } from "node:test";
import { setImmediate } from "node:timers/promises";

import { configure, prettyDOM, screen } from "@testing-library/dom";
import { type JSX, options, render } from "preact";

import type { Fragment, Slots } from "../fragment.js";
import { Layout } from "../layout.js";
import { place } from "../router.js";
import { Slot } from "../slot.js";
import { visit } from "../visit.js";
import { forgetScripts } from "./shop.js";

configure({
  asyncUtilTimeout: 2_000,
  // Who looks at a failure wants to see the page as it is, and no more than it.
  getElementError: (message) => new Error(`${message ?? ""}\n\nThe page is:\n${prettyDOM(root)}`),
});

// What comes after a render comes at once, even when a test has stopped the clock.
options.requestAnimationFrame = (callback) => queueMicrotask(callback);

const ARRIVAL_MS = 1_000;
const TURNS = 8;

const root = document.body.appendChild(document.createElement("div"));

/** Go to a place before there is a page, or while there is one. */
export async function goTo(address: string): Promise<void> {
  location.hash = address;
  await settled();
}

/** Whether the page has been told of the present address, which a browser does a little later. */
function hasArrived(): boolean {
  const [path, query] = location.hash.slice(1).split("?", 2);
  return (
    place.value.path === (path || "/") &&
    place.value.query.toString() === new URLSearchParams(query).toString()
  );
}

/** Wait until what is under way has come to rest: the address, answers that are there, and renders. */
export async function settled(): Promise<void> {
  // Not by a timer, since a test may have stopped the clock.
  const begun = performance.now();
  while (!hasArrived() && performance.now() - begun < ARRIVAL_MS) {
    await setImmediate();
  }
  for (let turn = 0; turn < TURNS; turn++) {
    await setImmediate();
  }
}

/**
 * Show a place of the storefront, composed of a fragment and, where a test says so, of others beside it.
 *
 * @param address - a path, such as `/orders`, and what follows it.
 */
export async function show(address: string, ...fragments: readonly Fragment[]): Promise<void> {
  await goTo(address);
  render(<Layout fragments={fragments} />, root);
  await settled();
}

/** Show a fragment's part of a slot, on a page that has nothing else. */
export async function showPart<Name extends keyof Slots>(
  name: Name,
  given: Slots[Name],
  fragment: Fragment,
): Promise<void> {
  const page = (): JSX.Element => <Slot name={name} with={given} />;
  await show("/slot", { what: "The page of a test", pages: [{ path: "/slot", page }] }, fragment);
}

/** Where somebody is. */
export function whereabouts(): string {
  return decodeURIComponent(location.hash.slice(1));
}

/** Press a button. */
export async function press(name: string | RegExp): Promise<void> {
  (await screen.findByRole("button", { name })).click();
  await settled();
}

/** Type into a field. */
export function fill(label: string | RegExp, text: string): void {
  const field = screen.getByLabelText(label);
  assert.ok(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement);
  field.value = text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** See that something is not there. Node would take minutes to print an element that it compares. */
export function absent(found: Element | null): void {
  assert.ok(found === null, `there is ${found?.outerHTML}`);
}

/** Stop the clock, so that a test says how time goes by; it goes on when the test ends. */
export function stopClock(): (ms: number) => Promise<void> {
  mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  return async (ms) => {
    for (let passed = 0; passed < ms; passed += 50) {
      mock.timers.tick(50);
      await settled();
    }
  };
}

afterEach(async () => {
  mock.timers.reset();
  render(null, root);
  localStorage.clear();
  sessionStorage.clear();
  visit.signedIn.set(false);
  visit.cartId.set(null);
  await goTo("/");
  assert.equal(place.value.path, "/");
  assert.deepEqual(forgetScripts(), [], "nobody has said what these calls answer");
});
