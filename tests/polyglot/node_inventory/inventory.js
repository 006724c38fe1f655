/** Answers other services that look items up or hold stock. */

import { ContractError, RefusedField } from "./contract.js";

const MAXIMUM_BATCH = 1000;
const MAXIMUM_EXPORT = 200;
const MAXIMUM_ID_LENGTH = 64;
const MAXIMUM_LINES = 1000;

/**
 * Handlers of `inventory.v1.Inventory`.
 *
 * @param {import("./catalogue.js").Catalogue} catalogue
 * @param {import("./reservations.js").Reservations} reservations
 */
export const inventory = (catalogue, reservations) => ({
  BatchGetItems({ skus }) {
    if (skus.length > MAXIMUM_BATCH) {
      throw new RefusedField("skus", `expected at most ${MAXIMUM_BATCH} items`);
    }
    const found = [...new Set(skus)].map((sku) => catalogue.find(sku)).filter(Boolean);
    return {
      items: found.map(({ sku, name, price, stock }) => ({ sku, name, price, available: stock })),
    };
  },

  ExportItems({ after_sku, page_size }) {
    if (page_size < 1 || page_size > MAXIMUM_EXPORT) {
      throw new RefusedField("pageSize", `expected 1 to ${MAXIMUM_EXPORT}`);
    }
    return {
      items: catalogue.page(null, after_sku, page_size).map((item) => ({
        ...item,
        category: item.category.replace("CATEGORY_", "").toLowerCase(),
        // It is read once, and stays as it is.
        version: 1,
      })),
    };
  },

  ReserveStock({ reservation_id, lines }) {
    check(reservation_id, lines);
    const held = reservations.find(reservation_id);
    if (held) {
      if (held.released || !sameLines(held.lines, lines)) {
        throw new ContractError("inventory.v1.ReservationConflict", { reservation_id });
      }
      return { reservation_id };
    }
    const unknown = lines.find(({ sku }) => !catalogue.find(sku));
    if (unknown) throw new ContractError("inventory.v1.UnknownItem", { sku: unknown.sku });
    const shortages = lines
      .map(({ sku, quantity }) => ({
        sku,
        requested: quantity,
        available: catalogue.find(sku).stock,
      }))
      .filter(({ requested, available }) => requested > available);
    if (shortages.length > 0) throw new ContractError("inventory.v1.OutOfStock", { shortages });
    reservations.hold(reservation_id, lines);
    return { reservation_id };
  },

  ReleaseStock({ reservation_id }) {
    const held = reservations.find(reservation_id);
    const length = Array.from(reservation_id).length;
    if (!held?.released && length >= 1 && length <= MAXIMUM_ID_LENGTH)
      reservations.release(reservation_id);
    if (!held) throw new ContractError("inventory.v1.ReservationNotFound", { reservation_id });
    return {};
  },
});

/** Sees to it that a request can be a reservation. */
function check(reservationId, lines) {
  const length = Array.from(reservationId).length;
  if (length < 1 || length > MAXIMUM_ID_LENGTH) {
    throw new RefusedField("reservationId", `expected 1 to ${MAXIMUM_ID_LENGTH} characters`);
  }
  if (lines.length < 1 || lines.length > MAXIMUM_LINES) {
    throw new RefusedField("lines", `expected 1 to ${MAXIMUM_LINES} items`);
  }
  const seen = new Set();
  for (const [index, { sku, quantity }] of lines.entries()) {
    if (quantity < 1) {
      throw new RefusedField(`lines[${index}].quantity`, "expected at least 1");
    }
    if (seen.has(sku)) {
      const reason = `'${sku}' has a line already`;
      throw new ContractError("inventory.v1.InvalidReservation", {
        field: `lines[${index}].sku`,
        reason,
      });
    }
    seen.add(sku);
  }
}

/** Whether two reservations hold the same, in whatever order; each names an item once. */
function sameLines(held, asked) {
  const quantities = new Map(held.map(({ sku, quantity }) => [sku, quantity]));
  return (
    held.length === asked.length &&
    asked.every(({ sku, quantity }) => quantities.get(sku) === quantity)
  );
}
