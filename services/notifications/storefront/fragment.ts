/** The notifications' part of the storefront: what the shop's people see of them. */
import { type Fragment, lazily } from "storefront";

export const notifications: Fragment = {
  what: "The notifications",
  parts: { deadLetters: lazily(() => import("./dead_letters.js").then((module) => module.OwnDeadLetters)) },
};
