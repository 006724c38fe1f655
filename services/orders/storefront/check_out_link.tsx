/** Below the total of a cart: the way to ordering it. */
import type { JSX } from "preact";
import { type Slots, to } from "storefront";

export function CheckOutLink({ orderable }: Slots["cart"]): JSX.Element {
  return orderable ? (
    <a class="button primary wide" href={to("/checkout")}>
      Check out
    </a>
  ) : (
    <p class="hint">Not all of it can be bought now. Change what is marked, then check out.</p>
  );
}
