/** Answers the shop's people who look after the stock. */

import { ContractError, RefusedField } from "./contract.js";

const MAXIMUM_STOCK = 1_000_000_000;

/**
 * Handlers of `inventory.v1.InventoryDeskApi`.
 *
 * @param {import("./catalogue.js").Catalogue} catalogue
 * @param {import("./reservations.js").Reservations} reservations
 */
export const inventoryDeskApi = (catalogue, reservations) => ({
  SetStock({ sku, stock, expected_stock }) {
    if (!(stock >= 0 && stock <= MAXIMUM_STOCK)) {
      throw new RefusedField("stock", `expected 0 to ${MAXIMUM_STOCK}`);
    }
    if (!(expected_stock >= 0)) throw new RefusedField("expectedStock", "expected at least 0");
    const item = catalogue.find(sku);
    if (!item) throw new ContractError("inventory.v1.ItemNotFound", { sku });
    if (item.stock !== expected_stock && item.stock !== stock) {
      throw new ContractError("inventory.v1.StockChanged", {
        sku,
        stock: item.stock,
        expected_stock,
      });
    }
    reservations.setStock(sku, stock);
    return item;
  },
});
