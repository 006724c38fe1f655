/** Answers clients that browse the catalogue. */

import { words } from "./catalogue.js";
import { ContractError } from "./contract.js";
import { decode, encode } from "./page-token.js";

const DEFAULT_PAGE_SIZE = 50;
const MAXIMUM_PAGE_SIZE = 200;
const MAXIMUM_WORDS = 32;
const MAXIMUM_QUERY_LENGTH = 1000;

/**
 * Handlers of `inventory.v1.InventoryApi`.
 *
 * @param {import("./catalogue.js").Catalogue} catalogue
 */
export const inventoryApi = (catalogue) => ({
  ListItems({ query, page_size, page_token }) {
    if (page_size < 0 || page_size > MAXIMUM_PAGE_SIZE) {
      throw new ContractError("inventory.v1.PageSizeOutOfRange", {
        page_size,
        maximum: MAXIMUM_PAGE_SIZE,
      });
    }
    // Characters are code points, as in Python.
    const sought = words(query);
    if (
      [...query].length > MAXIMUM_QUERY_LENGTH ||
      Math.max(sought.length, query.split(/\s+/u).filter(Boolean).length) > MAXIMUM_WORDS
    ) {
      throw new ContractError("inventory.v1.QueryTooLong", {
        maximum_words: MAXIMUM_WORDS,
        maximum_characters: MAXIMUM_QUERY_LENGTH,
      });
    }
    const after = decode(sought, page_token);
    if (after === null) throw new ContractError("inventory.v1.InvalidPageToken", { page_token });
    const size = page_size || DEFAULT_PAGE_SIZE;
    // One more than asked for tells whether there is a next page.
    const blank = query.trim() === "";
    const found = catalogue.page(blank ? null : sought, after, size + 1);
    const items = found.slice(0, size);
    const more = found.length > size;
    return { items, next_page_token: more ? encode(sought, items.at(-1).sku) : "" };
  },

  GetItem({ sku }) {
    const item = catalogue.find(sku);
    if (!item) throw new ContractError("inventory.v1.ItemNotFound", { sku });
    return item;
  },
});
