/**
 * What the storefront is composed of: the fragment of each service that has one, and the desk.
 *
 * Adding a fragment is adding it to this list. Where several have a part for one slot, the order is
 * that of the list.
 */
import { authentication } from "../../../services/authentication/storefront/fragment.js";
import { customerChat } from "../../../services/customer_chat/storefront/fragment.js";
import { home } from "../../../services/home/storefront/fragment.js";
import { inventory } from "../../../services/inventory/storefront/fragment.js";
import { notifications } from "../../../services/notifications/storefront/fragment.js";
import { orders } from "../../../services/orders/storefront/fragment.js";
import { search } from "../../../services/search/storefront/fragment.js";
import { shoppingCart } from "../../../services/shopping_cart/storefront/fragment.js";
import { desk } from "./desk/fragment.js";
import type { Fragment } from "./fragment.js";

export const FRAGMENTS: readonly Fragment[] = [
  home,
  search,
  inventory,
  orders,
  customerChat,
  authentication,
  shoppingCart,
  notifications,
  desk,
];
