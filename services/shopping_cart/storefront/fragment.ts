/** The cart's part of the storefront: the cart, the way to it, and how items come into it. */
import "./style.css";
import { type Fragment, lazily } from "storefront";

import { AddToCart } from "./add_to_cart.js";
import { CartLink } from "./cart_link.js";

export const shoppingCart: Fragment = {
  what: "The cart",
  pages: [
    { path: "/cart", page: lazily(() => import("./cart_page.js").then((module) => module.CartPage)) },
  ],
  parts: {
    header: CartLink,
    item: AddToCart,
    checkout: lazily(() => import("./cart_summary.js").then((module) => module.CartSummary)),
    deadLetters: lazily(() => import("./dead_letters.js").then((module) => module.OwnDeadLetters)),
  },
};
