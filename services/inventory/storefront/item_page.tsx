/** One item: what it is, what it costs, and what can be done with it. */
import type { Item } from "shop-client/inventory/v1/api";
import type { JSX } from "preact";
import {
  Answered,
  inMoney,
  ItemPicture,
  Notice,
  PageTitle,
  type PageProps,
  shop,
  SkeletonLines,
  Slot,
  to,
  useAnswer,
} from "storefront";

import { CATEGORIES } from "./category.js";

/** The item; null when there is none. */
async function itemOf(sku: string, signal: AbortSignal | undefined): Promise<Item | null> {
  try {
    return await shop.inventory.getItem({ sku }, { signal });
  } catch (thrown) {
    if (shop.inventory.getItem.refused(thrown)) {
      return null;
    }
    throw thrown;
  }
}

export function ItemPage({ params }: PageProps): JSX.Element {
  const sku = params["sku"] ?? "";
  const asked = useAnswer(({ signal }) => itemOf(sku, signal), [sku]);
  const item = asked.answer.state === "here" ? asked.answer.value : undefined;
  const category = CATEGORIES.find((each) => each.category === item?.category);
  const missing = item === null || asked.answer.state === "failed";
  return (
    <article class="item">
      <ItemPicture sku={sku} />
      <div class="facts">
        <PageTitle
          before={
            <p class="crumb">
              <a href={to("/catalogue")}>Catalogue</a>
              {category && <a href={to(`/catalogue/${category.word}`)}>{category.label}</a>}
            </p>
          }
        >
          {missing ? `Item ${sku}` : item?.name}
        </PageTitle>
        <Answered of={asked} what="The catalogue" waiting={<SkeletonLines count={6} />}>
          {(value) => (value ? <Facts item={value} /> : <Unknown />)}
        </Answered>
      </div>
    </article>
  );
}

function Unknown(): JSX.Element {
  return (
    <Notice>
      <p>The shop sells no such item, or does not sell it any more.</p>
    </Notice>
  );
}

function Facts({ item }: { readonly item: Item }): JSX.Element {
  const { sku, name, description, price, stock } = item;
  const few = stock <= 5 ? `Only ${stock} left` : "In stock";
  return (
    <>
      <p class="amount">{inMoney(price)}</p>
      <p class={stock === 0 ? "stock none" : "stock"}>{stock === 0 ? "Sold out" : few}</p>
      <p class="description">{description}</p>
      <Slot name="item" with={{ sku, name, stock }} />
      <p class="sku">SKU {sku}</p>
    </>
  );
}
