/** What fragments know of a visit from each other, without knowing each other. */
import { Observed, kept } from "./observed.js";

/** Who is signed in, as far as it is known. */
export interface Account {
  readonly email: string;
  readonly roles: readonly string[];
}

/** A visit to the shop. */
export const visit = {
  /** Whether somebody is signed in. */
  signedIn: new Observed(false),
  /** Who is; null when nobody is, or when it is not known yet. */
  account: new Observed<Account | null>(null),
  /** The cart that is filled; null before something is put into one. */
  cartId: kept("cart"),
  /** Counts what was done, beside the cart, that changes what it holds: each number is news. */
  cartNews: new Observed(0),
};

/** Say that what the cart holds may have changed. */
export function tellOfCart(): void {
  visit.cartNews.set(visit.cartNews.value + 1);
}
