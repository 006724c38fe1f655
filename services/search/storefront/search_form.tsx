/** In the header: what to look for. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { go, place, textOf, to, useObserved } from "storefront";

const MAXIMUM_CHARACTERS = 200;

export function SearchForm(): JSX.Element {
  const { path, query } = useObserved(place);
  const looked = path === "/search" ? (query.get("query") ?? "") : "";
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // Elsewhere, nothing is being looked for any more.
    if (field.current) {
      field.current.value = looked;
    }
  }, [path, looked]);
  return (
    <form
      class="search-form"
      onSubmit={(event) => {
        event.preventDefault();
        const words = textOf(new FormData(event.currentTarget), "query").trim();
        if (words) {
          go(to("/search", { query: words }));
        }
      }}
    >
      <input
        ref={field}
        type="search"
        name="query"
        aria-label="Search the shop"
        placeholder="Search"
        autocomplete="off"
        enterkeyhint="search"
        maxLength={MAXIMUM_CHARACTERS}
      />
    </form>
  );
}
