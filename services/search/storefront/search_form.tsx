/** In the header: what to look for. */
import type { JSX } from "preact";
import { go, textOf, to } from "storefront";

const MAXIMUM_CHARACTERS = 200;

export function SearchForm(): JSX.Element {
  return (
    <form
      class="search-form"
      onSubmit={(event) => {
        event.preventDefault();
        const query = textOf(new FormData(event.currentTarget), "query").trim();
        if (query) {
          go(to("/search", { query }));
        }
      }}
    >
      <input
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
