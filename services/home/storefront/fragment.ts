/** The first page of the storefront. */
import "./style.css";
import { type Fragment, lazily } from "storefront";

import { HomePage } from "./home_page.js";

export const home: Fragment = {
  what: "The first page",
  // What a browser shows first is not loaded later.
  pages: [{ path: "/", page: HomePage }],
  parts: { deadLetters: lazily(() => import("./dead_letters.js").then((module) => module.OwnDeadLetters)) },
};
