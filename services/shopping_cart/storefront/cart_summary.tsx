/** Beside the form that places an order: what would be ordered. */
import type { JSX } from "preact";
import { Answered, inMoney, SkeletonLines, type Slots, useAnswer } from "storefront";

import { readCart } from "./cart.js";

export function CartSummary({ cartId }: Slots["checkout"]): JSX.Element {
  const asked = useAnswer(readCart, [cartId]);
  return (
    <section class="summary" aria-labelledby="summary">
      <h2 id="summary">What you order</h2>
      <Answered of={asked} what="The cart" waiting={<SkeletonLines count={3} />}>
        {(held) =>
          held && (
            <>
              <ul>
                {held.lines.map(({ sku, name, quantity, lineTotal }) => (
                  <li key={sku}>
                    <span>
                      {quantity} × {name || sku}
                    </span>
                    <span class="amount">{lineTotal ? inMoney(lineTotal) : "–"}</span>
                  </li>
                ))}
              </ul>
              <p class="sum">
                <span>Total</span>
                <span class="amount">{held.total ? inMoney(held.total) : "–"}</span>
              </p>
            </>
          )
        }
      </Answered>
    </section>
  );
}
