/** In the header: the way to the cart, and how many units it holds. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { to, useObserved, visit } from "storefront";

import { cart, readCart, unitsOf } from "./cart.js";

export function CartLink(): JSX.Element {
  const units = unitsOf(useObserved(cart));
  const signedIn = useObserved(visit.signedIn);
  const news = useObserved(visit.cartNews);
  useEffect(() => {
    // The number alone is no reason to say that the cart is away; its page does.
    readCart().catch(() => undefined);
  }, [signedIn, news]);
  return (
    <a class="cart-link" href={to("/cart")}>
      Cart <span class="count">{units}</span>
      <span class="hidden">{units === 1 ? "unit" : "units"}</span>
    </a>
  );
}
