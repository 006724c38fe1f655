import { shop } from "storefront";
import { showPart, testAsking } from "storefront/testing";

import { shoppingCart } from "./fragment.js";

testAsking({
  asks: shop.shoppingCartDeadLetters.listDeadLetters,
  answer: { deadLetters: [], nextPageToken: "" },
  sees: "None: every event was handled.",
  what: "The cart",
  shows: () => showPart("deadLetters", {}, shoppingCart),
});
