/** What somebody has ordered, the newest first. */
import type { ListOrdersResponse } from "shop-client/orders/v1/api";
import type { JSX } from "preact";
import {
  Answered,
  inMoney,
  inTime,
  Notice,
  PageTitle,
  shop,
  SignInFirst,
  SkeletonLines,
  to,
  useAnswer,
  useObserved,
  useSubmission,
  visit,
} from "storefront";

import { stateInWords, toneOf } from "./words.js";

const PAGE_SIZE = 20;

export function OrdersPage(): JSX.Element {
  const signedIn = useObserved(visit.signedIn);
  return (
    <>
      <PageTitle>Your orders</PageTitle>
      {signedIn ? <Orders /> : <SignInFirst why="Sign in to see what you have ordered." />}
    </>
  );
}

function Orders(): JSX.Element {
  const asked = useAnswer(
    (options) => shop.orders.listOrders({ pageSize: PAGE_SIZE }, options),
    [],
  );
  return (
    <Answered of={asked} what="The orders" waiting={<SkeletonLines count={6} />}>
      {(value) => (
        <List
          page={value}
          more={async () => {
            const request = { pageSize: PAGE_SIZE, pageToken: value.nextPageToken };
            const next = await shop.orders.listOrders(request);
            asked.replace({ ...next, orders: [...value.orders, ...next.orders] });
          }}
        />
      )}
    </Answered>
  );
}

interface ListProps {
  readonly page: ListOrdersResponse;
  readonly more: () => Promise<void>;
}

function List({ page, more }: ListProps): JSX.Element {
  const { busy, problem, submit } = useSubmission("The orders", more);
  if (page.orders.length === 0) {
    return (
      <Notice>
        <p>You have not ordered anything yet.</p>
        <a class="button" href={to("/catalogue")}>
          Browse the catalogue
        </a>
      </Notice>
    );
  }
  return (
    <>
      <ul class="orders">
        {page.orders.map(({ orderId, state, placedAt, total }) => (
          <li key={orderId}>
            <a href={to(`/orders/${orderId}`)}>{inTime(placedAt)}</a>
            <span class={toneOf(state)}>{stateInWords(state)}</span>
            <span class="amount">{inMoney(total)}</span>
          </li>
        ))}
      </ul>
      {problem && (
        <Notice kind="problem">
          <p>{problem}</p>
        </Notice>
      )}
      {page.nextPageToken && (
        <p class="more">
          <button type="button" class="button" onClick={submit} aria-disabled={busy}>
            Show more
          </button>
        </p>
      )}
    </>
  );
}
