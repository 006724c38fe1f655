/** The cart, at the prices of this moment. */
import type { Cart, CartLine } from "shop-client/shopping_cart/v1/api";
import type { JSX } from "preact";
import {
  Answered,
  announce,
  inMoney,
  ItemPicture,
  Notice,
  PageTitle,
  shop,
  SkeletonLines,
  Slot,
  to,
  useAnswer,
  useObserved,
  useSubmission,
  visit,
} from "storefront";

import { cart, readCart, refusal, setQuantity } from "./cart.js";

export function CartPage(): JSX.Element {
  const signedIn = useObserved(visit.signedIn);
  const news = useObserved(visit.cartNews);
  const asked = useAnswer(readCart, [signedIn, news]);
  const latest = useObserved(cart);
  return (
    <>
      <PageTitle>Your cart</PageTitle>
      <Answered of={asked} what="The cart" waiting={<SkeletonLines count={6} />}>
        {(value) => <Content cart={value && (latest ?? value)} />}
      </Answered>
    </>
  );
}

function Content({ cart: held }: { readonly cart: Cart | null }): JSX.Element {
  if (!held || held.lines.length === 0) {
    return (
      <Notice>
        <p>Your cart is empty.</p>
        <a class="button" href={to("/catalogue")}>
          Browse the catalogue
        </a>
      </Notice>
    );
  }
  const orderable = held.lines.every(({ availability }) => availability === "AVAILABILITY_IN_STOCK");
  return (
    <div class="cart">
      <ul class="cart-lines">
        {held.lines.map((line) => (
          <Line key={line.sku} line={line} />
        ))}
      </ul>
      <section class="total" aria-label="Total">
        <p>
          <span>Total</span>
          <span class="amount">{held.total ? inMoney(held.total) : "–"}</span>
        </p>
        <Slot name="cart" with={{ cartId: held.cartId, orderable }} />
      </section>
    </div>
  );
}

/** Say what stands in the way of buying a line; empty when nothing does. */
function obstacle({ availability, available }: CartLine): string {
  switch (availability) {
    case "AVAILABILITY_TOO_FEW":
      return `Only ${available} left`;
    case "AVAILABILITY_OUT_OF_STOCK":
      return "Sold out";
    case "AVAILABILITY_DISCONTINUED":
      return "Not sold any more";
    default:
      return "";
  }
}

function Line({ line }: { readonly line: CartLine }): JSX.Element {
  const { sku, quantity, unitPrice, lineTotal } = line;
  const name = line.name || sku;
  const set = async (wanted: number): Promise<void> => {
    const held = await setQuantity(sku, wanted);
    const total = held.total ? `, ${inMoney(held.total)} in total` : "";
    announce(wanted === 0 ? `${name} is out of the cart${total}.` : `${wanted} × ${name}${total}.`);
  };
  const more = useSubmission("The cart", () => set(quantity + 1), refusal);
  const less = useSubmission("The cart", () => (quantity > 1 ? set(quantity - 1) : Promise.resolve()), refusal);
  const out = useSubmission(
    "The cart",
    async () => {
      cart.set(await shop.shoppingCart.removeItem({ cartId: visit.cartId.value ?? "", sku }));
      announce(`${name} is out of the cart.`);
      document.querySelector("main")?.focus();
    },
    refusal,
  );
  const problem = more.problem || less.problem || out.problem;
  const hindered = obstacle(line);
  return (
    <li>
      <ItemPicture sku={sku} />
      <div class="what">
        <a href={to(`/items/${encodeURIComponent(sku)}`)}>{name}</a>
        {unitPrice && <span class="hint">{inMoney(unitPrice)} each</span>}
        {hindered && <span class="wrong">{hindered}</span>}
        {problem && (
          <span class="wrong" role="alert">
            {problem}
          </span>
        )}
      </div>
      <div class="stepper" role="group" aria-label={`Quantity of ${name}`}>
        <button type="button" onClick={less.submit} aria-disabled={quantity === 1} aria-label="One less">
          −
        </button>
        <span>{quantity}</span>
        <button type="button" onClick={more.submit} aria-label="One more">
          +
        </button>
      </div>
      <span class="amount">{lineTotal ? inMoney(lineTotal) : "–"}</span>
      <button type="button" class="quiet" onClick={out.submit} aria-label={`Remove ${name}`}>
        Remove
      </button>
    </li>
  );
}
