/** On the desk: events that the first page could not handle. */
import type { JSX } from "preact";
import { DeadLetters, shop } from "storefront";

export function OwnDeadLetters(): JSX.Element {
  return <DeadLetters of="The first page" api={shop.homeDeadLetters} />;
}
