/** On the desk: events that the notifications could not handle. */
import type { JSX } from "preact";
import { DeadLetters, shop } from "storefront";

export function OwnDeadLetters(): JSX.Element {
  return <DeadLetters of="The notifications" api={shop.notificationsDeadLetters} />;
}
