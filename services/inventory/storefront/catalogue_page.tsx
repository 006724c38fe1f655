/** All items, or those of a category. */
import type { JSX } from "preact";
import {
  Answered,
  announce,
  counted,
  ItemCard,
  ItemGrid,
  Notice,
  PageTitle,
  type PageProps,
  shop,
  SkeletonGrid,
  to,
  useAnswer,
  useSubmission,
} from "storefront";

import { CATEGORIES, categoryOf, type ShownCategory, stockNote } from "./category.js";
import { type Listing, longer } from "./listing.js";

const MORE = 24;

export function CataloguePage({ params }: PageProps): JSX.Element {
  const word = params["category"];
  const category = word === undefined ? undefined : categoryOf(word);
  const known = word === undefined || category !== undefined;
  return (
    <>
      <PageTitle>{known ? (category?.label ?? "Catalogue") : "There is no such category"}</PageTitle>
      <Filters word={word} />
      {known && <Listed category={category} />}
    </>
  );
}

function Listed({ category }: { readonly category: ShownCategory | undefined }): JSX.Element {
  const { listItems } = shop.inventory;
  const listing = useAnswer(
    (options) => longer(listItems, category, null, MORE, options),
    [category?.word ?? ""],
  );
  return (
    <Answered of={listing} what="The catalogue" waiting={<SkeletonGrid count={12} />}>
      {(value) => (
        <Items
          listing={value}
          more={async () => {
            const grown = await longer(listItems, category, value, MORE);
            listing.replace(grown);
            announce(`${counted(grown.items.length, "item")} are shown.`);
          }}
        />
      )}
    </Answered>
  );
}

function Filters({ word }: { readonly word: string | undefined }): JSX.Element {
  const link = (path: string, label: string, current: boolean): JSX.Element => (
    <li key={path}>
      <a href={to(path)} aria-current={current ? "page" : undefined}>
        {label}
      </a>
    </li>
  );
  return (
    <nav class="filters" aria-label="Categories">
      <ul>
        {link("/catalogue", "Everything", word === undefined)}
        {CATEGORIES.map((each) => link(`/catalogue/${each.word}`, each.label, each.word === word))}
      </ul>
    </nav>
  );
}

interface ItemsProps {
  readonly listing: Listing;
  readonly more: () => Promise<void>;
}

function Items({ listing, more }: ItemsProps): JSX.Element {
  const { busy, problem, submit } = useSubmission("The catalogue", more);
  if (listing.items.length === 0) {
    return (
      <Notice>
        <p>There is nothing here yet.</p>
      </Notice>
    );
  }
  return (
    <>
      <ItemGrid>
        {listing.items.map(({ sku, name, price, stock }) => (
          <ItemCard key={sku} sku={sku} name={name} price={price} note={stockNote(stock)} />
        ))}
      </ItemGrid>
      {problem && (
        <Notice kind="problem">
          <p>{problem}</p>
        </Notice>
      )}
      {listing.next && (
        <p class="more">
          <button type="button" class="button" onClick={submit} aria-disabled={busy}>
            {busy ? "One moment …" : "Show more"}
          </button>
        </p>
      )}
    </>
  );
}
