/** On the first page: the ways into the catalogue. */
import type { JSX } from "preact";
import { ItemPicture, to } from "storefront";

import { CATEGORIES } from "./category.js";

export function Categories(): JSX.Element {
  return (
    <section aria-labelledby="categories">
      <div class="section-title">
        <h2 id="categories">Categories</h2>
        <a href={to("/catalogue")}>All that we sell</a>
      </div>
      <ul class="categories">
        {CATEGORIES.map(({ word, label, emblem }) => (
          <li key={word}>
            <a href={to(`/catalogue/${word}`)}>
              <ItemPicture sku={emblem} />
              <span>{label}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
