import { shop } from "storefront";
import { showPart, testAsking } from "storefront/testing";

import { home } from "./fragment.js";

testAsking({
  asks: shop.homeDeadLetters.listDeadLetters,
  answer: { deadLetters: [], nextPageToken: "" },
  sees: "None: every event was handled.",
  what: "The first page",
  shows: () => showPart("deadLetters", {}, home),
});
