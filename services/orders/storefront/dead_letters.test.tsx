import { shop } from "storefront";
import { showPart, testAsking } from "storefront/testing";

import { orders } from "./fragment.js";

testAsking({
  asks: shop.ordersDeadLetters.listDeadLetters,
  answer: { deadLetters: [], nextPageToken: "" },
  sees: "None: every event was handled.",
  what: "The orders",
  shows: () => showPart("deadLetters", {}, orders),
});
