/** The desk of the shop's people: a page of the shell, which services fill. */
import type { Fragment } from "../fragment.js";
import { lazily } from "../part.js";
import { STAFF } from "./staff.js";

export const desk: Fragment = {
  what: "The desk",
  pages: [
    { path: "/desk", page: lazily(() => import("./desk_page.js").then((module) => module.DeskPage)) },
  ],
  links: [{ label: "Desk", path: "/desk", role: STAFF }],
};
