/** The cart of a visit: made when something is first put into it, and forgotten when it is gone. */
import type { CallOptions } from "shop-client";
import type { Cart } from "shop-client/shopping_cart/v1/api";
import { Observed, shop, visit } from "storefront";

const { shoppingCart } = shop;

/** What the cart holds; null when there is none, or it is not known yet. */
export const cart = new Observed<Cart | null>(null);

visit.cartId.observe((cartId) => {
  if (cartId !== cart.value?.cartId) {
    cart.set(null);
  }
});

/** Whether a cart is not there any more, or is somebody else's since its owner has signed out. */
function isGone(thrown: unknown): boolean {
  return (
    (shoppingCart.getCart.refused(thrown) || shoppingCart.setItemQuantity.refused(thrown)) &&
    thrown.error.name === "CartNotFound"
  );
}

function known(held: Cart): Cart {
  visit.cartId.set(held.cartId);
  cart.set(held);
  return held;
}

/**
 * Read the cart. Who has signed in since takes it over by that.
 *
 * @returns null when there is none.
 */
export async function readCart(options: CallOptions = {}): Promise<Cart | null> {
  const cartId = visit.cartId.value;
  if (cartId === null) {
    return null;
  }
  try {
    return known(await shoppingCart.getCart({ cartId }, options));
  } catch (thrown) {
    if (!isGone(thrown)) {
      throw thrown;
    }
    visit.cartId.set(null);
    return null;
  }
}

/** Set how many units of an item the cart holds; 0 takes it out. */
export async function setQuantity(sku: string, quantity: number): Promise<Cart> {
  const cartId = visit.cartId.value ?? (await shoppingCart.createCart({})).cartId;
  try {
    return known(await shoppingCart.setItemQuantity({ cartId, sku, quantity }));
  } catch (thrown) {
    if (!isGone(thrown)) {
      throw thrown;
    }
    visit.cartId.set(null);
    const { cartId: fresh } = await shoppingCart.createCart({});
    return known(await shoppingCart.setItemQuantity({ cartId: fresh, sku, quantity }));
  }
}

/** Put units of an item into the cart beside those that it holds. */
export async function add(sku: string, quantity: number): Promise<Cart> {
  const held = (await readCart())?.lines.find((line) => line.sku === sku)?.quantity ?? 0;
  return setQuantity(sku, held + quantity);
}

/** How many units a cart holds, of all items together. */
export function unitsOf(held: Cart | null): number {
  return held?.lines.reduce((sum, { quantity }) => sum + quantity, 0) ?? 0;
}

/** Say why the cart refuses a quantity; undefined for what else went wrong. */
export function refusal(thrown: unknown): string | undefined {
  if (!shoppingCart.setItemQuantity.refused(thrown)) {
    return undefined;
  }
  const { error } = thrown;
  switch (error.name) {
    case "OutOfStock":
      return error.fields.available === 0
        ? "There are none left."
        : `There are ${error.fields.available} left, and the cart would hold ${error.fields.requested}.`;
    case "CartFull":
      return `The cart holds ${error.fields.maximum} different items, the most it can. Take one out first.`;
    case "QuantityOutOfRange":
      return `A cart can hold at most ${error.fields.maximum} of an item.`;
    case "ItemNotFound":
      return "The shop does not sell this item any more.";
    case "CartNotFound":
      return "The cart is gone. Please try again.";
    default:
      return undefined;
  }
}
