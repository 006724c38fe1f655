/** The catalogue's part of the storefront: what is sold, by category, and each item. */
import "./style.css";
import { type Fragment, lazily, SkeletonGridPage } from "storefront";

import { Categories } from "./categories.js";
import { ItemWaiting } from "./item_waiting.js";
import { Shelf } from "./shelf.js";

const cataloguePage = lazily(
  () => import("./catalogue_page.js").then((module) => module.CataloguePage),
  SkeletonGridPage,
);

export const inventory: Fragment = {
  what: "The catalogue",
  pages: [
    { path: "/catalogue", page: cataloguePage },
    { path: "/catalogue/:category", page: cataloguePage },
    {
      path: "/items/:sku",
      page: lazily(() => import("./item_page.js").then((module) => module.ItemPage), ItemWaiting),
    },
  ],
  links: [{ label: "Catalogue", path: "/catalogue" }],
  parts: {
    home: Categories,
    shelf: Shelf,
    desk: lazily(() => import("./stock_desk.js").then((module) => module.StockDesk)),
  },
};
