/**
 * Where in the shop somebody is.
 *
 * Places are fragments of the page's address, such as `#/items/KIT-BRD-0008`, so that any server of
 * files can serve the shop.
 */
import { Observed } from "./observed.js";

/** A place in the shop. */
export interface Place {
  /** Begins with a slash. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** The parts of a path that a pattern names. */
export type Params = Readonly<Record<string, string>>;

function read(): Place {
  const [path = "", query] = location.hash.replace(/^#/, "").split("?", 2);
  return { path: path || "/", query: new URLSearchParams(query) };
}

/** Where somebody is now. */
export const place = new Observed(read());

addEventListener("hashchange", () => place.set(read()));

/** The address of a place, for links. */
export function to(path: string, query: Params = {}): string {
  const words = new URLSearchParams(query).toString();
  return `#${path}${words && `?${words}`}`;
}

/** Go to a place; with `replace`, going back leads to where the present one was come to from. */
export function go(address: string, { replace = false } = {}): void {
  if (replace) {
    location.replace(address);
  } else {
    location.assign(address);
  }
}

/**
 * Compare a path with a pattern such as `/items/:sku`.
 *
 * @returns what the pattern names; null when they differ.
 */
export function match(pattern: string, path: string): Params | null {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) {
    return null;
  }
  const params: Record<string, string> = {};
  for (const [at, word] of wanted.entries()) {
    const part = given[at] ?? "";
    if (word.startsWith(":") && part) {
      try {
        params[word.slice(1)] = decodeURIComponent(part);
      } catch {
        return null;
      }
    } else if (word !== part) {
      return null;
    }
  }
  return params;
}
