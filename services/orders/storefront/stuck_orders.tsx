/** On the desk: orders that do not come to an end. */
import type { StuckOrder } from "shop-client/orders/v1/api";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import {
  Answered,
  announce,
  counted,
  inMoney,
  inTime,
  More,
  Notice,
  shop,
  SkeletonLines,
  usePages,
  useSubmission,
} from "storefront";

import { stateInWords, stepInWords, toneOf } from "./words.js";

const PAGE_SIZE = 20;

export function StuckOrders(): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  const listed = usePages("The orders", async (pageToken, options) => {
    const page = await shop.ordersDesk.listStuckOrders({ pageSize: PAGE_SIZE, pageToken }, options);
    return { items: page.orders, next: page.nextPageToken };
  });
  const ended = ({ orderId }: StuckOrder, news: string): void => {
    listed.without((each) => each.orderId === orderId);
    announce(news);
    // What had the focus is gone.
    heading.current?.focus();
  };
  return (
    <section aria-labelledby="stuck-orders">
      <h2 id="stuck-orders" ref={heading} tabIndex={-1}>
        Stuck orders
      </h2>
      <Answered of={listed.asked} what="The orders" waiting={<SkeletonLines count={2} />}>
        {(pages) =>
          pages.items.length === 0 && !pages.next ? (
            <p class="hint">None: no order has been under way for more than a minute.</p>
          ) : (
            <>
              <ul class="entries">
                {pages.items.map((order) => (
                  <li key={order.orderId}>
                    <Stuck order={order} ended={ended} again={listed.asked.again} />
                  </li>
                ))}
              </ul>
              <More pages={pages} more={listed.more} />
            </>
          )
        }
      </Answered>
    </section>
  );
}

interface StuckProps {
  readonly order: StuckOrder;
  readonly ended: (order: StuckOrder, news: string) => void;
  readonly again: () => void;
}

function Stuck({ order, ended, again }: StuckProps): JSX.Element {
  const { orderId, state, since, total, step, attempts, reason, dueAt } = order;
  const { busy, problem, submit } = useSubmission(
    "The orders",
    async () => {
      const answer = await shop.ordersDesk.retryOrder({ orderId });
      if (answer.stuck) {
        announce("The order is still under way.");
        again();
      } else {
        ended(order, `The order has ended: ${stateInWords(answer.state)}.`);
      }
    },
    (thrown) =>
      shop.ordersDesk.retryOrder.refused(thrown) ? "There is no such order any more." : undefined,
  );
  return (
    <>
      <h3>
        <span class={toneOf(state)}>{stateInWords(state)}</span> {inMoney(total)}
      </h3>
      <p class="reason">
        Waits for {stepInWords(step)} since {inTime(since)}
        {reason && `: ${reason}`}
      </p>
      <p class="hint">
        Failed {counted(attempts, "time")} in a row; next attempt {inTime(dueAt)}. Order {orderId}
      </p>
      {problem && (
        <Notice kind="problem">
          <p>{problem}</p>
        </Notice>
      )}
      <div class="row">
        <button
          type="button"
          class="button"
          onClick={submit}
          aria-disabled={busy}
          aria-label={`Try again now: order ${orderId}`}
        >
          {busy ? "Trying …" : "Try again now"}
        </button>
      </div>
    </>
  );
}
