import { shop } from "storefront";
import { showPart, testAsking } from "storefront/testing";

import { customerChat } from "./fragment.js";

testAsking({
  asks: shop.customerChatDeadLetters.listDeadLetters,
  answer: { deadLetters: [], nextPageToken: "" },
  sees: "None: every event was handled.",
  what: "The chat",
  shows: () => showPart("deadLetters", {}, customerChat),
});
