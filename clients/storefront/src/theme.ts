/** Light or dark: as the system has it, or as somebody has chosen. */

/** What can be chosen. */
export type Theme = "light" | "dark";

const KEY = "theme";

function chosen(): Theme | null {
  const value = localStorage.getItem(KEY);
  return value === "light" || value === "dark" ? value : null;
}

/** What is shown now. */
export function theme(): Theme {
  return chosen() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

/** Show what was chosen before; called before the page is shown. */
export function applyTheme(): void {
  const value = chosen();
  if (value) {
    document.documentElement.dataset["theme"] = value;
  }
}

/** Choose. */
export function chooseTheme(value: Theme): void {
  localStorage.setItem(KEY, value);
  applyTheme();
}
