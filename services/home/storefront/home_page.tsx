/** The first page: what sells well, what was ordered last, and the ways into the shop. */
import type { Home, Part, RecentOrder } from "shop-client/home/v1/api";
import type { JSX } from "preact";
import {
  type Answer,
  Answered,
  inMoney,
  inTime,
  ItemCard,
  ItemGrid,
  Notice,
  PageTitle,
  shop,
  SkeletonGrid,
  Slot,
  to,
  useAnswer,
  useObserved,
  visit,
} from "storefront";

/** The fewest items that make a first page. */
const FEW = 5;

const PHONE = "(max-width: 40rem)";

/** How the parts are called when they are missing. */
const PARTS: Partial<Readonly<Record<Part, string>>> = {
  PART_PROFILE: "your account",
  PART_CART: "your cart",
  PART_RECENT_ORDERS: "your last orders",
  PART_POPULAR_ITEMS: "what sells best",
};

export function HomePage(): JSX.Element {
  const signedIn = useObserved(visit.signedIn);
  const asked = useAnswer(
    (options) => {
      const client = matchMedia(PHONE).matches ? "CLIENT_MOBILE" : "CLIENT_WEB";
      return shop.home.getHome({ client }, options);
    },
    [signedIn],
  );
  return (
    <div class="home">
      <div class="lead">
        <PageTitle>Good things, plainly sold</PageTitle>
        <p>For the kitchen and the garden, the desk and the shelf. Well made, fairly priced.</p>
      </div>
      {/* Above what is not there yet, so that it does not move when that comes. */}
      <Slot name="home" with={{}} />
      <Answered of={asked} what="What sells best" waiting={<Waiting />}>
        {(value) => <Gathered home={value} />}
      </Answered>
      {hasRoom(asked.answer) && <Slot name="shelf" with={{}} />}
    </div>
  );
}

/** Whether there is room for other items: little was sold yet, or nobody can say what was. */
function hasRoom(answer: Answer<Home>): boolean {
  return answer.state === "here" ? answer.value.popularItems.length < FEW : answer.state === "failed";
}

function Waiting(): JSX.Element {
  return (
    <section>
      <div class="section-title">
        <div class="skeleton line title" />
      </div>
      <SkeletonGrid count={10} />
    </section>
  );
}

function Gathered({ home }: { readonly home: Home }): JSX.Element {
  const { popularItems, recentOrders, missing } = home;
  return (
    <>
      {missing.length > 0 && (
        <Notice>
          <p>
            This cannot be shown right now: {missing.map((part) => PARTS[part] ?? part).join(", ")}.
          </p>
        </Notice>
      )}
      {recentOrders.length > 0 && <RecentOrders orders={recentOrders} />}
      {popularItems.length > 0 && (
        <section aria-labelledby="popular">
          <div class="section-title">
            <h2 id="popular">What sells best</h2>
          </div>
          <ItemGrid>
            {popularItems.map(({ sku, name, price, inStock }) => (
              <ItemCard
                key={sku}
                sku={sku}
                name={name}
                price={price}
                note={inStock ? undefined : "Sold out"}
              />
            ))}
          </ItemGrid>
        </section>
      )}
    </>
  );
}

function RecentOrders({ orders }: { readonly orders: readonly RecentOrder[] }): JSX.Element {
  return (
    <section aria-labelledby="recent">
      <div class="section-title">
        <h2 id="recent">Your last orders</h2>
        <a href={to("/orders")}>All orders</a>
      </div>
      <ul class="recent">
        {orders.map(({ orderId, state, placedAt, total }) => (
          <li key={orderId}>
            <a href={to(`/orders/${orderId}`)}>{inTime(placedAt)}</a>
            <span>{state.charAt(0) + state.slice(1).toLowerCase()}</span>
            <span class="amount">{inMoney(total)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
