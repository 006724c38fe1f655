/** Starts the storefront. */
import "./style.css";
import { render } from "preact";

import { FRAGMENTS } from "./fragments.js";
import { Layout } from "./layout.js";

const root = document.getElementById("shop");
if (!root) {
  throw new Error("index.html has no element with the id 'shop'");
}
render(<Layout fragments={FRAGMENTS} />, root);
