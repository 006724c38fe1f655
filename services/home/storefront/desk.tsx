/** On the desk: events that the first page could not handle. */
import type { JSX } from "preact";
import { DeadLetters, shop } from "storefront";

export function Desk(): JSX.Element {
  return <DeadLetters of="the first page" api={shop.homeDeadLetters} />;
}
