/** Stands in the place of an item's page. */
import type { JSX } from "preact";
import { SkeletonLines } from "storefront";

export function ItemWaiting(): JSX.Element {
  return (
    <div class="item" aria-hidden="true">
      <div class="skeleton picture" />
      <SkeletonLines count={10} />
    </div>
  );
}
