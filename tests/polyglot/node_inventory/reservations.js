/** Stock that somebody holds. */

/**
 * A reservation, for ever.
 *
 * @typedef {object} Reservation
 * @property {{sku: string, quantity: number}[]} lines
 * @property {boolean} released whether the stock was given back
 */

/** All reservations there ever were; what changes is in the journal before it is answered. */
export class Reservations {
  /** @type {Map<string, Reservation>} */
  #byId = new Map();
  #catalogue;
  #journal;

  /**
   * @param {import("./catalogue.js").Catalogue} catalogue with its full stock
   * @param {import("./journal.js").Journal} journal what happened so far, and what will
   */
  constructor(catalogue, journal) {
    this.#catalogue = catalogue;
    this.#journal = journal;
    for (const entry of journal.entries) this.#apply(entry);
  }

  /** @returns {Reservation | undefined} */
  find(id) {
    return this.#byId.get(id);
  }

  /** Takes stock away under a new id; every line's item is known and has enough. */
  hold(id, lines) {
    this.#write({ hold: id, lines });
  }

  /** Gives the stock of a reservation back; what is not there can never be made. */
  release(id) {
    this.#write({ release: id });
  }

  /** Sets how many units of a known item there are beside what is held. */
  setStock(sku, stock) {
    this.#write({ set: sku, stock });
  }

  #write(entry) {
    this.#journal.append(entry);
    this.#apply(entry);
  }

  #apply({ set, stock, hold, lines, release }) {
    if (set !== undefined) {
      this.#catalogue.find(set).stock = stock;
    } else if (hold !== undefined) {
      this.#byId.set(hold, { lines, released: false });
      for (const { sku, quantity } of lines) this.#catalogue.find(sku).stock -= quantity;
    } else {
      const reservation = this.#byId.get(release) ?? { lines: [] };
      this.#byId.set(release, reservation);
      reservation.released = true;
      for (const { sku, quantity } of reservation.lines)
        this.#catalogue.find(sku).stock += quantity;
    }
  }
}
