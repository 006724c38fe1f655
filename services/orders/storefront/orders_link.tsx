/** On the page of an account: the way to what was ordered with it. */
import type { JSX } from "preact";
import { to } from "storefront";

export function OrdersLink(): JSX.Element {
  return (
    <section aria-labelledby="own-orders">
      <h2 id="own-orders">Orders</h2>
      <p>
        <a href={to("/orders")}>What you have ordered, and what became of it</a>
      </p>
    </section>
  );
}
