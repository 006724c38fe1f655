import assert from "node:assert/strict";
import test from "node:test";

import { press, screen, settled, show } from "./testing/public.js";
import { applyTheme } from "./theme.js";

/** What the system prefers, as a test says. */
class System extends EventTarget implements Pick<MediaQueryList, "matches"> {
  matches = false;

  async prefers(colours: "light" | "dark"): Promise<void> {
    this.matches = colours === "dark";
    this.dispatchEvent(new Event("change"));
    await settled();
  }
}

const system = new System();
Object.defineProperty(globalThis, "matchMedia", { value: () => system });

function forced(): string | undefined {
  return document.documentElement.dataset["theme"];
}

/** A page of somebody who has chosen nothing yet, on a system that is light. */
async function fresh(): Promise<void> {
  localStorage.clear();
  applyTheme();
  system.matches = false;
  await show("/");
}

test("the button offers what is not shown, and follows the system when that changes", async () => {
  await fresh();
  screen.getByRole("button", { name: "Dark colours" });
  await system.prefers("dark");
  screen.getByRole("button", { name: "Light colours" });
  await system.prefers("light");
  screen.getByRole("button", { name: "Dark colours" });
  assert.equal(forced(), undefined);
});

test("what was chosen is shown whatever the system prefers, and is kept", async () => {
  await fresh();
  await press("Dark colours");
  assert.equal(forced(), "dark");
  await system.prefers("dark");
  await system.prefers("light");
  screen.getByRole("button", { name: "Light colours" });
  document.documentElement.removeAttribute("data-theme");
  applyTheme();
  assert.equal(forced(), "dark");
});

test("what is chosen in another page of the shop is shown in this one", async () => {
  await fresh();
  localStorage.setItem("theme", "dark");
  dispatchEvent(new StorageEvent("storage", { key: "theme", newValue: "dark" }));
  await screen.findByRole("button", { name: "Light colours" });
  assert.equal(forced(), "dark");
});

test("what is kept and is no theme is as nothing", () => {
  localStorage.setItem("theme", "plaid");
  applyTheme();
  assert.equal(forced(), undefined);
});
