/** An order: how far it has come, what it holds, and what has happened to it. */
import type { Order } from "shop-client/orders/v1/api";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import {
  Answered,
  announce,
  type Asked,
  inMoney,
  inTime,
  Notice,
  PageTitle,
  type PageProps,
  shop,
  SkeletonLines,
  tellOfCart,
  to,
  useAnswer,
  useSubmission,
} from "storefront";

import {
  eventInWords,
  isCancellable,
  isUnderWay,
  rejectionInWords,
  stateInWords,
  toneOf,
} from "./words.js";

const LOOK_AGAIN_MS = 1_000;

const { getOrder, cancelOrder } = shop.orders;

/** The order; null when there is none, or it is somebody else's. */
async function orderOf(orderId: string, signal: AbortSignal | undefined): Promise<Order | null> {
  try {
    return await getOrder({ orderId }, { signal });
  } catch (thrown) {
    if (getOrder.refused(thrown)) {
      return null;
    }
    throw thrown;
  }
}

export function OrderPage({ params }: PageProps): JSX.Element {
  const orderId = params["orderId"] ?? "";
  const asked = useAnswer(({ signal }) => orderOf(orderId, signal), [orderId]);
  return (
    <>
      <PageTitle>Your order</PageTitle>
      <Answered of={asked} what="The orders" waiting={<SkeletonLines count={8} />}>
        {(order) =>
          order ? (
            <Details order={order} asked={asked} />
          ) : (
            <Notice>
              <p>There is no such order, or it is of another account.</p>
              <a class="button" href={to("/orders")}>
                Your orders
              </a>
            </Notice>
          )
        }
      </Answered>
    </>
  );
}

interface DetailsProps {
  readonly order: Order;
  readonly asked: Asked<Order | null>;
}

/** Look again while an order is under way, and say what has become of it. */
function useNews({ order, asked }: DetailsProps): void {
  const before = useRef(order.state);
  const underWay = isUnderWay(order);
  useEffect(() => {
    if (underWay) {
      const timer = setTimeout(asked.again, LOOK_AGAIN_MS);
      return () => clearTimeout(timer);
    }
    // What was ordered leaves the cart.
    tellOfCart();
    return undefined;
  }, [order]);
  useEffect(() => {
    if (order.state !== before.current) {
      before.current = order.state;
      announce(`Your order: ${stateInWords(order.state)}.`);
    }
  }, [order.state]);
}

function Details({ order, asked }: DetailsProps): JSX.Element {
  useNews({ order, asked });
  const { busy, problem, submit } = useSubmission(
    "The orders",
    async () => asked.replace(await cancelOrder({ orderId: order.orderId })),
    (thrown) =>
      cancelOrder.refused(thrown) && thrown.error.name === "OrderAlreadyRejected"
        ? "The order was rejected meanwhile; there is nothing to cancel."
        : undefined,
  );
  return (
    <div class="order">
      <div class="facts">
        <p>
          <span class={toneOf(order.state)}>{stateInWords(order.state)}</span>
        </p>
        {order.rejection && (
          <Notice kind="news">
            <p>{rejectionInWords(order, order.rejection)}</p>
            <p>
              It has taken nothing out of your cart. <a href={to("/cart")}>Go to the cart</a>
            </p>
          </Notice>
        )}
        <section aria-labelledby="lines">
          <h2 id="lines">Items</h2>
          <ul class="order-lines">
            {order.lines.map(({ sku, name, quantity, unitPrice, lineTotal }) => (
              <li key={sku}>
                <a href={to(`/items/${encodeURIComponent(sku)}`)}>{name}</a>
                <span class="hint">
                  {quantity} × {inMoney(unitPrice)}
                </span>
                <span class="amount">{inMoney(lineTotal)}</span>
              </li>
            ))}
          </ul>
          <p class="sum">
            <span>Total</span>
            <span class="amount">{inMoney(order.total)}</span>
          </p>
        </section>
        {problem && (
          <Notice kind="problem">
            <p>{problem}</p>
          </Notice>
        )}
        {isCancellable(order) && (
          <button type="button" class="button" onClick={submit} aria-disabled={busy}>
            {busy ? "Cancelling …" : "Cancel the order"}
          </button>
        )}
      </div>
      <section class="history" aria-labelledby="timeline">
        <h2 id="timeline">What has happened</h2>
        <ol class="timeline">
          {order.timeline.map(({ at, event }, position) => (
            <li key={position}>
              <span>{eventInWords(event)}</span>
              <time dateTime={at}>{inTime(at)}</time>
            </li>
          ))}
        </ol>
        <p class="sku">Order {order.orderId}</p>
      </section>
    </div>
  );
}
