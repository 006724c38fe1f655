/** Where fragments find each other's parts: what is composed is told to all pages from above. */
import { createContext, type JSX } from "preact";
import { useContext } from "preact/hooks";

import type { Fragment, Slots } from "./fragment.js";
import { Filled } from "./part.js";

/** The fragments that the storefront is composed of. */
export const Composition = createContext<readonly Fragment[]>([]);

interface SlotProps<Name extends keyof Slots> {
  readonly name: Name;
  /** What its parts are given. */
  readonly with: Slots[Name];
}

/** A place in a page for the parts of other fragments, whichever there are. */
export function Slot<Name extends keyof Slots>(props: SlotProps<Name>): JSX.Element {
  return <Filled fragments={useContext(Composition)} {...props} />;
}
