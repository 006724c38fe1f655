/** Light or dark: as the system has it, or as somebody has chosen. */

/** What can be chosen. */
export type Theme = "light" | "dark";

const KEY = "theme";
const SYSTEM_IS_DARK = "(prefers-color-scheme: dark)";

function chosen(): Theme | null {
  const value = localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : null;
}

/** What is shown now. */
export function theme(): Theme {
  return chosen() ?? (matchMedia(SYSTEM_IS_DARK).matches ? "dark" : "light");
}

/** Show what was chosen before; called before the page is shown. */
export function applyTheme(): void {
  const value = chosen();
  if (value) {
    document.documentElement.dataset["theme"] = value;
  } else {
    delete document.documentElement.dataset["theme"];
  }
}

/** Choose. */
export function chooseTheme(value: Theme): void {
  localStorage.setItem(KEY, value);
  applyTheme();
}

/**
 * Be told when something else is shown because of the system, or of what was chosen in another page.
 *
 * @returns what ends that.
 */
export function observeTheme(tell: (value: Theme) => void): () => void {
  const system = matchMedia(SYSTEM_IS_DARK);
  const look = (): void => tell(theme());
  const lookElsewhere = (): void => {
    applyTheme();
    look();
  };
  system.addEventListener("change", look);
  addEventListener("storage", lookElsewhere);
  return () => {
    system.removeEventListener("change", look);
    removeEventListener("storage", lookElsewhere);
  };
}
