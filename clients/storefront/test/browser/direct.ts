/** What the walk needs of the shop that no page does for it: asked of its API. */
import assert from "node:assert/strict";

import { shopUrl } from "./visitor.ts";

/** An item of the catalogue. */
export interface Item {
  readonly sku: string;
  readonly name: string;
  readonly stock: number;
  readonly price: { readonly minorUnits: string };
}

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const answer = await fetch(`${shopUrl}${path}`, {
    method,
    headers: { "content-type": "application/json", "idempotency-key": String(Math.random()) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text) as T;
}

/** Look an item up. */
export function itemOf(sku: string): Promise<Item> {
  return call("GET", `/v1/inventory/${sku}`);
}

async function someItems(): Promise<Item[]> {
  return (await call<{ items: Item[] }>("GET", "/v1/inventory?pageSize=200")).items;
}

/** Find an item that fits. */
export async function someItem(fits: (item: Item) => boolean): Promise<Item> {
  return (await someItems()).find(fits) ?? assert.fail("the catalogue has no such item");
}

/** Fill a cart with the dearest that there is, until it costs more than so many minor units. */
export async function fillCart(cartId: string, above: number): Promise<void> {
  const value = ({ price, stock }: Item): number => Number(price.minorUnits) * stock;
  let total = 0;
  for (const item of (await someItems()).sort((one, other) => value(other) - value(one))) {
    if (total > above) {
      return;
    }
    await call("PUT", `/v1/carts/${cartId}/items/${item.sku}`, { quantity: item.stock });
    total += value(item);
  }
  assert.fail(`all that there is costs ${total}`);
}

/** Open an account. */
export async function register(email: string, password: string): Promise<void> {
  await call("POST", "/v1/users", { email, password });
}

/** Order units of an item, as somebody else does. */
export async function buy(sku: string, quantity: number): Promise<void> {
  const { cartId } = await call<{ cartId: string }>("POST", "/v1/carts");
  await call("PUT", `/v1/carts/${cartId}/items/${sku}`, { quantity });
  const { state } = await call<{ state: string }>("POST", "/v1/orders", { cartId });
  assert.equal(state, "ORDER_STATE_CONFIRMED");
}
