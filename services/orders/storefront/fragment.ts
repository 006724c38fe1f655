/** The orders' part of the storefront: check out, what was ordered, and what becomes of it. */
import "./style.css";
import { type Fragment, lazily } from "storefront";

import { CheckOutLink } from "./check_out_link.js";
import { OrdersLink } from "./orders_link.js";

export const orders: Fragment = {
  what: "The orders",
  pages: [
    {
      path: "/checkout",
      page: lazily(() => import("./check_out_page.js").then((module) => module.CheckOutPage)),
    },
    {
      path: "/orders",
      page: lazily(() => import("./orders_page.js").then((module) => module.OrdersPage)),
    },
    {
      path: "/orders/:orderId",
      page: lazily(() => import("./order_page.js").then((module) => module.OrderPage)),
    },
  ],
  links: [{ label: "Orders", path: "/orders" }],
  parts: {
    cart: CheckOutLink,
    account: OrdersLink,
    desk: lazily(() => import("./stuck_orders.js").then((module) => module.StuckOrders)),
    deadLetters: lazily(() => import("./dead_letters.js").then((module) => module.OwnDeadLetters)),
  },
};
