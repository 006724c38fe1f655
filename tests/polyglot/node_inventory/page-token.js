/**
 * Page tokens: where the next page of a query begins.
 *
 * They are made as the Python service makes its own: a digest of the query, then the last SKU of
 * the page. No contract asks for that. It lets a client that is half way through the catalogue go
 * on when one service takes the place of the other.
 */

import { createHash } from "node:crypto";

const DIGEST_BYTES = 6;

/**
 * @param {string[]} words of the query
 * @param {string} lastSku of the page
 */
export function encode(words, lastSku) {
  return Buffer.concat([digest(words), Buffer.from(lastSku)]).toString("base64url");
}

/**
 * @param {string[]} words of the query
 * @param {string} token
 * @returns {string | null} the last SKU of the page that gave `token`, "" for the empty token of
 *   the first page; null when no page of this query gave it
 */
export function decode(words, token) {
  if (token === "") return "";
  const content = Buffer.from(token, "base64url");
  const lastSku = content.subarray(DIGEST_BYTES).toString();
  return lastSku !== "" && encode(words, lastSku) === token ? lastSku : null;
}

function digest(words) {
  return createHash("sha256").update(words.join(" ")).digest().subarray(0, DIGEST_BYTES);
}
