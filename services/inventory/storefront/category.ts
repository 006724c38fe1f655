/** Categories, as they are called in addresses and by people. */
import type { Category } from "shop-client/inventory/v1/api";

/** A category that is shown. */
export interface ShownCategory {
  readonly category: Category;
  /** In addresses, and as a word that finds it. */
  readonly word: string;
  readonly label: string;
  /** An item whose picture stands for all of them. */
  readonly emblem: string;
}

/** All categories, in the order in which they are shown. */
export const CATEGORIES: readonly ShownCategory[] = (
  [
    ["CATEGORY_KITCHEN", "KIT"],
    ["CATEGORY_HOME", "HOM"],
    ["CATEGORY_GARDEN", "GAR"],
    ["CATEGORY_BOOKS", "BOO"],
    ["CATEGORY_STATIONERY", "STA"],
    ["CATEGORY_TOOLS", "TOO"],
    ["CATEGORY_ELECTRONICS", "ELE"],
    ["CATEGORY_OUTDOOR", "OUT"],
    ["CATEGORY_TOYS", "TOY"],
    ["CATEGORY_CLOTHING", "CLO"],
  ] as const
).map(([category, prefix]) => {
  const word = category.slice("CATEGORY_".length).toLowerCase();
  const label = `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
  return { category, word, label, emblem: `${prefix}-EMBLEM` };
});

/** Find a category by the word in an address. */
export function categoryOf(word: string): ShownCategory | undefined {
  return CATEGORIES.find((each) => each.word === word);
}

/** Say whether an item can be had. */
export function stockNote(stock: number): string | undefined {
  if (stock === 0) {
    return "Sold out";
  }
  return stock <= 5 ? `Only ${stock} left` : undefined;
}
