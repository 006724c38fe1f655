/** Two pages of one origin, which share a session by `localStorage`. */
import { createShop, storageTokens, type Tokens, type TokenStore } from "shop-client";

const stored = storageTokens(localStorage, "shared");

function shopOf(baseUrl: string, tokens: TokenStore) {
  return createShop({ baseUrl, tokens });
}

/** Sign in, with tokens that are to be renewed at once. */
export async function signIn(baseUrl: string): Promise<void> {
  const shop = shopOf(baseUrl, stored);
  const who = { email: `tabs-${Date.now()}@example.org`, password: "correct horse" };
  await shop.authentication.registerUser(who);
  await shop.authentication.authenticate(who);
  const tokens = (await stored.load()) as Tokens;
  await stored.save({ ...tokens, renewAt: 0 });
}

/** Make many calls at once, and say whether there is still a session. */
export async function callTogether(baseUrl: string): Promise<boolean> {
  const shop = shopOf(baseUrl, stored);
  await Promise.all(Array.from({ length: 5 }, () => shop.authentication.getUser()));
  return shop.session.isSignedIn();
}
