/** From nothing to an order: run it with the address of a shop, such as http://127.0.0.1:8080. */
import { ApiError, createShop, toDate } from "shop-client";
import type { Order } from "shop-client/orders/v1/api";

const shop = createShop({ baseUrl: process.argv[2] ?? "http://127.0.0.1:8080" });

async function findSku(words: string): Promise<string> {
  for await (const { sku, name, price, stock } of shop.inventory.listItems.all({ query: words })) {
    if (stock > 0) {
      const amount = Number(price.minorUnits) / 100;
      console.log(`${name}: ${amount.toFixed(2)} ${price.currencyCode}`);
      return sku;
    }
  }
  throw new Error(`nothing is called ${words}`);
}

async function order(sku: string, quantity: number): Promise<Order | undefined> {
  const { cartId } = await shop.shoppingCart.createCart();
  const { setItemQuantity } = shop.shoppingCart;
  try {
    await setItemQuantity({ cartId, sku, quantity });
  } catch (thrown) {
    if (setItemQuantity.refused(thrown) && thrown.error.name === "OutOfStock") {
      console.log(`only ${thrown.error.fields.available} are left`);
      return undefined;
    }
    throw thrown;
  }
  return shop.orders.placeOrder({ cartId }, { timeoutMs: 5_000 });
}

const credentials = { email: `ann-${Date.now()}@example.org`, password: "correct horse" };
await shop.authentication.registerUser(credentials);
// From here on the client shows who is signed in, and gets new tokens by itself.
await shop.authentication.authenticate(credentials);
try {
  const placed = await order(await findSku("oak board"), 1);
  if (placed) {
    console.log(`${placed.orderId} of ${toDate(placed.placedAt).toLocaleString()}: ${placed.state}`);
  }
} catch (error) {
  console.error(error instanceof ApiError ? `${error.code}: ${error.message}` : error);
} finally {
  await shop.session.signOut();
}
