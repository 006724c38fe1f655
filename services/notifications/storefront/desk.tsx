/** On the desk: events that the notifications could not handle. */
import type { JSX } from "preact";
import { DeadLetters, shop } from "storefront";

export function Desk(): JSX.Element {
  return <DeadLetters of="the notifications" api={shop.notificationsDeadLetters} />;
}
