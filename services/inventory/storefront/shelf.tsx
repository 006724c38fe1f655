/** On the first page, while little has been sold: some of what there is, another kind each day. */
import type { CallOptions } from "shop-client";
import type { Item } from "shop-client/inventory/v1/api";
import type { JSX } from "preact";
import { Answered, ItemCard, ItemGrid, shop, SkeletonGrid, to, useAnswer } from "storefront";

import { CATEGORIES, stockNote, type ShownCategory } from "./category.js";
import { longer } from "./listing.js";

const SHOWN = 10;
const DAY_MS = 86_400_000;

interface Shelved {
  readonly items: readonly Item[];
  /** What kind they are of; absent when they are of any. */
  readonly category?: ShownCategory;
}

/** Items of the kind of the day; of any kind, where the shop has none of that. */
async function shelved(options: CallOptions): Promise<Shelved> {
  const category = CATEGORIES[Math.floor(Date.now() / DAY_MS) % CATEGORIES.length];
  const ofDay = await longer(shop.inventory.listItems, category, null, SHOWN, options);
  if (category && ofDay.items.length > 0) {
    return { items: ofDay.items.slice(0, SHOWN), category };
  }
  const { items } = await longer(shop.inventory.listItems, undefined, null, SHOWN, options);
  return { items: items.slice(0, SHOWN) };
}

export function Shelf(): JSX.Element {
  const asked = useAnswer(shelved, []);
  const { answer } = asked;
  if (answer.state === "here" && answer.value.items.length === 0) {
    return <></>;
  }
  const category = answer.state === "here" ? answer.value.category : undefined;
  return (
    <section aria-labelledby="shelf">
      <div class="section-title">
        <h2 id="shelf">Have a look</h2>
        {category && <a href={to(`/catalogue/${category.word}`)}>All in {category.label}</a>}
      </div>
      <Answered of={asked} what="The catalogue" waiting={<SkeletonGrid count={SHOWN} />}>
        {({ items }) => (
          <ItemGrid>
            {items.map(({ sku, name, price, stock }) => (
              <ItemCard key={sku} sku={sku} name={name} price={price} note={stockNote(stock)} />
            ))}
          </ItemGrid>
        )}
      </Answered>
    </section>
  );
}
