/** Lists of items that grow as somebody asks for more. */
import type { CallOptions, Shop } from "shop-client";
import type { Item } from "shop-client/inventory/v1/api";

import type { ShownCategory } from "./category.js";

const PAGE_SIZE = 48;

/** A part of a list, and where the rest of it is. */
export interface Listing {
  readonly items: readonly Item[];
  /** What the next page is asked for with; empty when there is none. */
  readonly next: string;
}

/**
 * Go on with a list until it has some more items.
 *
 * The words of a category find items of others too, such as a book about gardens; they are left out.
 *
 * @param before - what was listed until now.
 * @param wanted - how many items more there are to be, at least, if there are so many.
 */
export async function longer(
  listItems: Shop["inventory"]["listItems"],
  category: ShownCategory | undefined,
  before: Listing | null,
  wanted: number,
  options: CallOptions = {},
): Promise<Listing> {
  const query = category?.word ?? "";
  const items = [...(before?.items ?? [])];
  const enough = items.length + wanted;
  let next = before?.next ?? "";
  do {
    const page = await listItems({ query, pageSize: PAGE_SIZE, pageToken: next }, options);
    items.push(...page.items.filter((each) => !category || each.category === category.category));
    next = page.nextPageToken;
  } while (next && items.length < enough);
  return { items, next };
}
