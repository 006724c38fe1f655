/** Keys by which the shop knows an order again that was asked for before, even by a page that is gone. */

const NAME = "order-key";

interface KeptKey {
  readonly cartId: string;
  readonly key: string;
}

function kept(): KeptKey | null {
  const text = sessionStorage.getItem(NAME);
  return text === null ? null : (JSON.parse(text) as KeptKey);
}

/** The key for an order of a cart: the same until its order is answered. */
export function keyFor(cartId: string): string {
  const before = kept();
  if (before?.cartId === cartId) {
    return before.key;
  }
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const key = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  sessionStorage.setItem(NAME, JSON.stringify({ cartId, key }));
  return key;
}

/** Forget the key, since what it was for is done. */
export function forgetKey(): void {
  sessionStorage.removeItem(NAME);
}
