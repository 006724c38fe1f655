/** The accounts' part of the storefront: sign in, register, and look after an account. */
import "./style.css";
import { type Fragment, lazily } from "storefront";

import { AccountLink } from "./account_link.js";

export const authentication: Fragment = {
  what: "The accounts",
  pages: [
    {
      path: "/sign-in",
      page: lazily(() => import("./sign_in_page.js").then((module) => module.SignInPage)),
    },
    {
      path: "/register",
      page: lazily(() => import("./register_page.js").then((module) => module.RegisterPage)),
    },
    {
      path: "/account",
      page: lazily(() => import("./account_page.js").then((module) => module.AccountPage)),
    },
  ],
  parts: { header: AccountLink },
};
