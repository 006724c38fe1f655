/** Below the price of an item: puts it into the cart. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { announce, Field, Notice, type Slots, textOf, to, useSubmission } from "storefront";

import { add, refusal } from "./cart.js";

export function AddToCart({ sku, name, stock }: Slots["item"]): JSX.Element {
  const [added, setAdded] = useState(0);
  const { busy, problem, onSubmit } = useSubmission(
    "The cart",
    async (form) => {
      setAdded(0);
      const quantity = Number(textOf(form, "quantity"));
      await add(sku, quantity);
      setAdded(quantity);
      announce(`${quantity} × ${name} put into the cart.`);
    },
    refusal,
  );
  if (stock === 0) {
    return <p class="hint">It cannot be bought at the moment.</p>;
  }
  return (
    <form class="add-to-cart" onSubmit={onSubmit}>
      <div class="row">
        <Field label="Quantity" name="quantity" type="number" value="1" min={1} max={999} />
        <button class="button primary" type="submit" aria-disabled={busy}>
          {busy ? "One moment …" : "Add to cart"}
        </button>
      </div>
      {problem && (
        <Notice kind="problem">
          <p>{problem}</p>
        </Notice>
      )}
      {added > 0 && (
        <Notice kind="good">
          <p>
            {added} in your cart. <a href={to("/cart")}>Go to the cart</a>
          </p>
        </Notice>
      )}
    </form>
  );
}
