/** Who is signed in: kept for all pages of the shop, and told to whoever looks at `visit`. */
import { storageTokens, type TokenStore } from "shop-client";

import { visit } from "./visit.js";

const KEY = "session";
const stored = storageTokens(localStorage, KEY);

/** The tokens of the session. Whoever looks at `visit` hears when it begins and ends. */
export const tokens: TokenStore = {
  load: () => stored.load(),
  save(given) {
    const saved = stored.save(given);
    visit.signedIn.set(given !== null);
    return saved;
  },
};

function lookAtSession(): void {
  visit.signedIn.set(localStorage.getItem(KEY) !== null);
}

lookAtSession();
addEventListener("storage", lookAtSession);
visit.signedIn.observe((signedIn) => {
  if (!signedIn) {
    visit.account.set(null);
  }
});
