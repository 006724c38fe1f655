/** On the desk: events that the search could not handle. */
import type { JSX } from "preact";
import { DeadLetters, shop } from "storefront";

export function OwnDeadLetters(): JSX.Element {
  return <DeadLetters of="The search" api={shop.searchDeadLetters} />;
}
