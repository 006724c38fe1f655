/** On the desk: events that the search could not handle. */
import type { JSX } from "preact";
import { DeadLetters, shop } from "storefront";

export function Desk(): JSX.Element {
  return <DeadLetters of="the search" api={shop.searchDeadLetters} />;
}
