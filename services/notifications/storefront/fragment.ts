/** The notifications' part of the storefront: what the shop's people see of them. */
import { type Fragment, lazily } from "storefront";

export const notifications: Fragment = {
  what: "The notifications",
  parts: { desk: lazily(() => import("./desk.js").then((module) => module.Desk)) },
};
