/** On the desk: events that the orders could not handle. */
import type { JSX } from "preact";
import { DeadLetters, shop } from "storefront";

export function OwnDeadLetters(): JSX.Element {
  return <DeadLetters of="The orders" api={shop.ordersDeadLetters} />;
}
