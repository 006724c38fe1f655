/** What was found, the best first. */
import type { SearchResponse } from "shop-client/search/v1/api";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
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

const PAGE_SIZE = 24;

export function SearchPage({ query: place }: PageProps): JSX.Element {
  const query = place.get("query") ?? "";
  const found = useAnswer(
    (options) => shop.search.search({ query, pageSize: PAGE_SIZE }, options),
    [query],
  );
  return (
    <>
      <PageTitle>{`Search for “${query}”`}</PageTitle>
      <Answered of={found} what="The search" waiting={<SkeletonGrid count={8} />}>
        {(value) => (
          <Found
            query={query}
            found={value}
            more={async () => {
              const request = { query, pageSize: PAGE_SIZE, pageToken: value.nextPageToken };
              const next = await shop.search.search(request);
              found.replace({ ...next, items: [...value.items, ...next.items] });
            }}
          />
        )}
      </Answered>
    </>
  );
}

interface FoundProps {
  readonly query: string;
  readonly found: SearchResponse;
  readonly more: () => Promise<void>;
}

function Found({ query, found, more }: FoundProps): JSX.Element {
  const { items, didYouMean, nextPageToken } = found;
  const { busy, problem, submit } = useSubmission("The search", more);
  const number = `${counted(items.length, "item")}${nextPageToken ? " so far" : ""}`;
  useEffect(() => announce(items.length ? `${number} found.` : "Nothing was found."), [number]);
  if (items.length === 0) {
    return (
      <Notice>
        <p>Nothing in the shop fits “{query}”. Try fewer or other words.</p>
        <a class="button" href={to("/catalogue")}>
          Browse the catalogue
        </a>
      </Notice>
    );
  }
  return (
    <>
      <p class="found">
        {didYouMean ? (
          <>
            Nothing holds these words. Shown is what fits{" "}
            <a href={to("/search", { query: didYouMean })}>{didYouMean}</a>: {number}.
          </>
        ) : (
          `${number}, the best first.`
        )}
      </p>
      <ItemGrid>
        {items.map(({ sku, name, price }) => (
          <ItemCard key={sku} sku={sku} name={name} price={price} />
        ))}
      </ItemGrid>
      {problem && (
        <Notice kind="problem">
          <p>{problem}</p>
        </Notice>
      )}
      {nextPageToken && (
        <p class="more">
          <button type="button" class="button" onClick={submit} aria-disabled={busy}>
            {busy ? "One moment …" : "Show more"}
          </button>
        </p>
      )}
    </>
  );
}
