/** The shop that all fragments call. */
import { createShop } from "shop-client";

import { tokens } from "./session.js";

/** The shop, at the address that the page came from. */
export const shop = createShop({ baseUrl: location.origin, tokens });
