import { shop } from "storefront";
import { showPart, testAsking } from "storefront/testing";

import { search } from "./fragment.js";

testAsking({
  asks: shop.searchDeadLetters.listDeadLetters,
  answer: { deadLetters: [], nextPageToken: "" },
  sees: "None: every event was handled.",
  what: "The search",
  shows: () => showPart("deadLetters", {}, search),
});
