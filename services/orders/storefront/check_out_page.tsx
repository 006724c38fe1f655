/** Places an order of what the cart holds: once, however often it has to be asked for. */
import type { JSX } from "preact";
import {
  announce,
  Field,
  go,
  isAway,
  Notice,
  PageTitle,
  shop,
  Slot,
  tellOfCart,
  textOf,
  to,
  useObserved,
  useSubmission,
  visit,
} from "storefront";

import { forgetKey, keyFor } from "./key.js";
import { stateInWords } from "./words.js";

const { placeOrder } = shop.orders;

/** Say why an order was refused; undefined for what else went wrong. */
function refusal(thrown: unknown): string | undefined {
  if (isAway(thrown)) {
    return "We do not know whether your order has arrived. Please try again: it is placed only once.";
  }
  if (!placeOrder.refused(thrown)) {
    return undefined;
  }
  const { error } = thrown;
  switch (error.name) {
    case "CartNotFound":
    case "CartEmpty":
      return "Your cart is empty. Put something into it first.";
    case "ItemUnavailable":
      return "Your cart holds items that are no longer sold. Take them out first.";
    case "InvalidEmail":
      return "Nobody can be written to at this e-mail address.";
    default:
      return undefined;
  }
}

/** The order that was placed already, if that is why this one was refused. */
function orderedBefore(thrown: unknown): string | undefined {
  return placeOrder.refused(thrown) && thrown.error.name === "CartAlreadyOrdered"
    ? thrown.error.fields.orderId
    : undefined;
}

export function CheckOutPage(): JSX.Element {
  const cartId = useObserved(visit.cartId);
  return (
    <>
      <PageTitle>Check out</PageTitle>
      {cartId === null ? (
        <Notice>
          <p>Your cart is empty.</p>
          <a class="button" href={to("/catalogue")}>
            Browse the catalogue
          </a>
        </Notice>
      ) : (
        <div class="check-out">
          <OrderForm cartId={cartId} />
          <Slot name="checkout" with={{ cartId }} />
        </div>
      )}
    </>
  );
}

function OrderForm({ cartId }: { readonly cartId: string }): JSX.Element {
  const account = useObserved(visit.account);
  const signedIn = useObserved(visit.signedIn);
  const { busy, problem, onSubmit } = useSubmission(
    "The orders",
    async (form) => {
      const request = { cartId, email: textOf(form, "email") };
      try {
        const order = await placeOrder(request, { idempotencyKey: keyFor(cartId) });
        announce(`Your order is placed: ${stateInWords(order.state)}.`);
        go(to(`/orders/${order.orderId}`), { replace: true });
      } catch (thrown) {
        const orderId = orderedBefore(thrown);
        if (isAway(thrown)) {
          throw thrown;
        }
        if (orderId === undefined) {
          forgetKey();
          throw thrown;
        }
        go(to(`/orders/${orderId}`), { replace: true });
      }
      forgetKey();
      tellOfCart();
    },
    refusal,
  );
  return (
    <form class="form" onSubmit={onSubmit}>
      {!signedIn && (
        <Notice>
          <p>
            You can order without an account. <a href={to("/sign-in", { next: "/checkout" })}>Sign in</a>{" "}
            to find the order again later.
          </p>
        </Notice>
      )}
      <Field
        key={account?.email ?? ""}
        label="E-mail address"
        name="email"
        type="email"
        autocomplete="email"
        maxLength={254}
        required={false}
        value={account?.email ?? ""}
        hint="Where we write to about the order. You may leave it empty."
      />
      {problem && (
        <Notice kind="problem">
          <p>{problem}</p>
        </Notice>
      )}
      <button class="button primary" type="submit" aria-disabled={busy}>
        {busy ? "Placing your order …" : "Place the order"}
      </button>
    </form>
  );
}
