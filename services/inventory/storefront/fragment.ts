/** The catalogue's part of the storefront: what is sold, by category, and each item. */
import "./style.css";
import { type Fragment, lazily } from "storefront";

import { Categories } from "./categories.js";
import { Shelf } from "./shelf.js";

export const inventory: Fragment = {
  what: "The catalogue",
  pages: [
    {
      path: "/catalogue",
      page: lazily(() => import("./catalogue_page.js").then((module) => module.CataloguePage)),
    },
    {
      path: "/catalogue/:category",
      page: lazily(() => import("./catalogue_page.js").then((module) => module.CataloguePage)),
    },
    {
      path: "/items/:sku",
      page: lazily(() => import("./item_page.js").then((module) => module.ItemPage)),
    },
  ],
  links: [{ label: "Catalogue", path: "/catalogue" }],
  parts: {
    home: Categories,
    shelf: Shelf,
    desk: lazily(() => import("./stock_desk.js").then((module) => module.StockDesk)),
  },
};
