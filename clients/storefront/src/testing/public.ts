/** What tests of fragments may use, imported as "storefront/testing". */
export { screen, waitFor, within } from "@testing-library/dom";
export { testAsking } from "./asking.js";
export { absent, fill, goTo, press, settled, show, showPart, stopClock, whereabouts } from "./page.js";
export { away, fails, never, refusal, sessionEnded, signIn, when } from "./shop.js";
