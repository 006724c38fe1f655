/** The search's part of the storefront: where to type, and what was found. */
import "./style.css";
import { type Fragment, lazily, SkeletonGridPage } from "storefront";

import { SearchForm } from "./search_form.js";

export const search: Fragment = {
  what: "The search",
  pages: [
    {
      path: "/search",
      page: lazily(
        () => import("./search_page.js").then((module) => module.SearchPage),
        SkeletonGridPage,
      ),
    },
  ],
  parts: {
    search: SearchForm,
    deadLetters: lazily(() => import("./dead_letters.js").then((module) => module.OwnDeadLetters)),
  },
};
