/** The button that changes between light and dark. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { chooseTheme, observeTheme, theme } from "./theme.js";

/** Says which colours there would be, and shows them when it is pressed. */
export function ThemeSwitch(): JSX.Element {
  const [shown, setShown] = useState(theme);
  useEffect(() => observeTheme(setShown), []);
  const other = shown === "dark" ? "light" : "dark";
  return (
    <button
      type="button"
      class="quiet"
      onClick={() => {
        chooseTheme(other);
        setShown(other);
      }}
    >
      {other === "dark" ? "Dark" : "Light"} colours
    </button>
  );
}
