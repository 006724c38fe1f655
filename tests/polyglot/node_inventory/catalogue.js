/** The items of the shop, read from CSV and kept in memory. */

import { readFileSync } from "node:fs";

import { parse } from "csv-parse/sync";

const MAXIMUM_WORD_LENGTH = 64;

/**
 * One item, in the shape of `inventory.v1.Item`.
 *
 * @typedef {object} Item
 * @property {string} sku
 * @property {string} name
 * @property {string} description
 * @property {string} category name of a `inventory.v1.Category`
 * @property {{currency_code: string, minor_units: number}} price
 * @property {number} stock
 */

/**
 * Reads a catalogue: a first line that names the columns sku, name, description, category, price,
 * currency and stock; then one line an item.
 *
 * @param {string} file
 * @returns {Catalogue}
 */
export function readCatalogue(file) {
  const rows = parse(readFileSync(file), { bom: true, columns: true, trim: true });
  return new Catalogue(rows.map(item));
}

function item({ sku, name, description, category, price, currency, stock }) {
  return {
    sku,
    name,
    description,
    category: `CATEGORY_${category.toUpperCase()}`,
    price: { currency_code: currency, minor_units: minorUnits(sku, price, currency) },
    stock: wholeNumber(sku, stock),
  };
}

/** Cents from "19.99": digits are moved, since fractions of two are not fractions of ten. */
function minorUnits(sku, price, currency) {
  const format = new Intl.NumberFormat("en", { style: "currency", currency });
  const decimals = format.resolvedOptions().maximumFractionDigits;
  const [whole, fraction = ""] = price.split(".");
  if (fraction.length > decimals) {
    throw new Error(`${sku}: ${price} has more than the ${decimals} decimals of ${currency}`);
  }
  return wholeNumber(sku, whole + fraction.padEnd(decimals, "0"));
}

function wholeNumber(sku, digits) {
  if (!/^\d+$/.test(digits)) throw new Error(`${sku}: '${digits}' is not a whole number`);
  return Number(digits);
}

/** The items, to be looked up and searched; their stock changes, all else stays. */
export class Catalogue {
  #items;
  #bySku;
  #words;

  /** @param {Item[]} items with distinct SKUs */
  constructor(items) {
    this.#items = items.toSorted((one, other) => inOrder(one.sku, other.sku));
    this.#bySku = new Map(this.#items.map((item) => [item.sku, item]));
    this.#words = new Map(this.#items.map((item) => [item, words(searchText(item))]));
  }

  /** @returns {Item | undefined} */
  find(sku) {
    return this.#bySku.get(sku);
  }

  /**
   * Items in the order of their SKUs.
   *
   * @param {string[] | null} beginnings with each of them a word of the item's text begins, as
   *   `words` gives them; null for every item
   * @param {string} after only items whose SKU comes after this one; "" for the first page
   * @param {number} size the most items to give
   * @returns {Item[]}
   */
  page(beginnings, after, size) {
    const begins = (item, beginning) =>
      this.#words.get(item).some((word) => word.startsWith(beginning));
    const matches = (item) =>
      beginnings === null ||
      (beginnings.length > 0 && beginnings.every((beginning) => begins(item, beginning)));
    return this.#items
      .filter((item) => inOrder(item.sku, after) > 0 && matches(item))
      .slice(0, size);
  }
}

/** The words of a text or a query: runs of letters and digits, of which so many characters count. */
export function words(text) {
  const found = fold(fold(text).normalize("NFKC")).match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(found.map((word) => [...word].slice(0, MAXIMUM_WORD_LENGTH).join("")))];
}

function searchText({ sku, name, description, category }) {
  return [sku, name, description, category.replace("CATEGORY_", "")].join(" ");
}

/**
 * Takes case away. Upper case first makes "ß" and "SS" one; letter by letter afterwards, since the
 * lower case of a sigma depends on whether a word ends with it.
 */
function fold(text) {
  return Array.from(text.toUpperCase(), (letter) => letter.toLowerCase()).join("");
}

/** Compares by code points, as UTF-8 does, and not by the 16-bit units of JavaScript's strings. */
function inOrder(one, other) {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
