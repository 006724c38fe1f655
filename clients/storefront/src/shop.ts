/** The shop that all fragments call. */
import { createShop, storageTokens, type TokenStore } from "shop-client";

import { visit } from "./visit.js";

const KEY = "session";
const stored = storageTokens(localStorage, KEY);

/** The session, which all pages of the shop share; who looks at `visit` hears when it begins and ends. */
const tokens: TokenStore = {
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

/** The shop, at the address that the page came from. */
export const shop = createShop({ baseUrl: location.origin, tokens });
