/** On the desk: events that the cart could not handle. */
import type { JSX } from "preact";
import { DeadLetters, shop } from "storefront";

export function Desk(): JSX.Element {
  return <DeadLetters of="the cart" api={shop.shoppingCartDeadLetters} />;
}
