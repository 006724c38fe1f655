/** On the desk: events that the chat could not handle. */
import type { JSX } from "preact";
import { DeadLetters, shop } from "storefront";

export function OwnDeadLetters(): JSX.Element {
  return <DeadLetters of="The chat" api={shop.customerChatDeadLetters} />;
}
