/** What is said to those who do not see that something has changed. */
import { Observed } from "./observed.js";

/** What was said last. */
export const said = new Observed("");

/** Say something to screen readers, once they have finished what they are saying. */
export function announce(text: string): void {
  // The same words again are news only if they were gone in between.
  said.set("");
  setTimeout(() => said.set(text), 50);
}
