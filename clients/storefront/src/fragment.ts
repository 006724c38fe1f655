/** What a fragment of the storefront is: the part of one service. */
import type { ComponentType } from "preact";

import type { Params } from "./router.js";

/** What a page is given. */
export interface PageProps {
  /** What the page's pattern names in its path. */
  readonly params: Params;
  readonly query: URLSearchParams;
}

/** The places of a page into which fragments put parts, and what each part is given. */
export interface Slots {
  /** In the header: to look for something. */
  readonly search: object;
  /** In the header: small links, such as that to the cart. */
  readonly header: object;
  /** Below what the first page begins with: ways into the shop. */
  readonly home: object;
  /** On the first page, while little is known of what sells best: some of what there is. */
  readonly shelf: object;
  /** Below the price of an item: what can be done with it. */
  readonly item: { readonly sku: string; readonly name: string; readonly stock: number };
  /** Below the total of a cart: what can be done with it. */
  readonly cart: { readonly cartId: string; readonly orderable: boolean };
  /** Beside the form that places an order: what would be ordered. */
  readonly checkout: { readonly cartId: string };
  /** On the page of an account: what belongs to it. */
  readonly account: object;
  /** On the desk of the shop's people: what they see to, in sections. */
  readonly desk: object;
  /** On the desk: the events that a service could not handle. */
  readonly deadLetters: object;
}

/** A page. */
export interface Page {
  /** Its path, such as `/items/:sku`. */
  readonly path: string;
  readonly page: ComponentType<PageProps>;
}

/** A link in the navigation. */
export interface NavigationLink {
  readonly label: string;
  readonly path: string;
  /** The role that somebody needs to see it; everybody sees it when absent. */
  readonly role?: string;
}

/** The part of one service. */
export interface Fragment {
  /** What it is called when it has to be said that it is away, such as "The catalogue". */
  readonly what: string;
  readonly pages?: readonly Page[];
  readonly links?: readonly NavigationLink[];
  readonly parts?: { readonly [Name in keyof Slots]?: ComponentType<Slots[Name]> };
}
