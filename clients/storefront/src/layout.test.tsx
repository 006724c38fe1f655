import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { PageTitle } from "./controls.js";
import type { Fragment, PageProps } from "./fragment.js";
import { lazily } from "./part.js";
import { absent, goTo, press, screen, settled, show } from "./testing/public.js";
import { visit } from "./visit.js";

function page({ params, query }: PageProps) {
  return <PageTitle>{`Page ${params["name"] ?? ""}${query.get("more") ?? ""}`}</PageTitle>;
}

const pages: Fragment = {
  what: "The pages",
  pages: [{ path: "/pages/:name", page }],
  links: [
    { label: "One", path: "/pages/one" },
    { label: "Desk", path: "/desk", role: "agent" },
  ],
};

/** A part that is as it should be only the second time. */
function brittle(): Fragment {
  let whole = false;
  function Part() {
    if (!whole) {
      whole = true;
      throw new Error("it broke");
    }
    return <p>The part is whole</p>;
  }
  return { what: "The part", parts: { header: Part } };
}

test("a place shows the page whose path it has, with what it names", async () => {
  await show("/pages/one?more=,+please", pages);
  screen.getByRole("heading", { name: "Page one, please" });
  assert.equal(document.title, "Page one, please · Shop");
});

test("a place that no fragment has says so, and leads to the first page", async () => {
  await show("/nowhere", pages);
  screen.getByRole("heading", { name: "There is no such page" });
  assert.equal(screen.getByRole("link", { name: "To the first page" }).getAttribute("href"), "#/");
});

test("who comes to another page is led to its title, and who opens the first one is left alone", async () => {
  await show("/pages/one", pages);
  await goTo("/pages/two");
  assert.ok(document.activeElement === screen.getByRole("heading", { name: "Page two" }));
});

test("the navigation marks where one is", async () => {
  await show("/pages/one", pages);
  assert.equal(screen.getByRole("link", { name: "One" }).getAttribute("aria-current"), "page");
  await goTo("/pages/one/part");
  assert.equal(screen.getByRole("link", { name: "One" }).getAttribute("aria-current"), "true");
  await goTo("/pages/two");
  assert.equal(screen.getByRole("link", { name: "One" }).getAttribute("aria-current"), null);
});

test("a link that is for a role is there for who has it", async () => {
  await show("/pages/one", pages);
  absent(screen.queryByRole("link", { name: "Desk" }));
  visit.account.set({ email: "ann@example.org", roles: ["buyer"] });
  await settled();
  absent(screen.queryByRole("link", { name: "Desk" }));
  visit.account.set({ email: "ann@example.org", roles: ["agent"] });
  await screen.findByRole("link", { name: "Desk" });
});

test("skipping to the content leaves the place as it is", async () => {
  await show("/pages/one", pages);
  screen.getByRole("link", { name: "Skip to the content" }).click();
  assert.equal(document.activeElement?.id, "main");
  assert.equal(location.hash, "#/pages/one");
});

test("a part that breaks says so alone, and is tried again when that is asked for", async (t) => {
  const told = t.mock.method(console, "error", () => undefined);
  await show("/pages/one", brittle(), pages);
  screen.getByRole("heading", { name: "Page one" });
  screen.getByText("Something went wrong here. it broke");
  assert.equal(told.mock.callCount(), 1);
  await press("Try again");
  screen.getByText("The part is whole");
});

test("a page that breaks is not broken any more at another place", async (t) => {
  t.mock.method(console, "error", () => undefined);
  const Broken = () => {
    throw new Error("it broke");
  };
  await show("/broken", { what: "A page", pages: [{ path: "/broken", page: Broken }] }, pages);
  screen.getByText("Something went wrong here. it broke");
  await goTo("/pages/one");
  screen.getByRole("heading", { name: "Page one" });
});

test("code that cannot be loaded says so, and is loaded when that is asked for", async () => {
  const load = mock.fn(() => Promise.reject<typeof page>(new TypeError("no network")));
  await show("/late", { what: "The late", pages: [{ path: "/late", page: lazily(load) }] });
  screen.getByText("This part could not be loaded. Are you connected?");
  load.mock.mockImplementation(() => Promise.resolve(page));
  await press("Try again");
  screen.getByRole("heading", { name: "Page" });
  assert.equal(load.mock.callCount(), 2);
});

test("code that was loaded once is there at once", async () => {
  const load = mock.fn(() => Promise.resolve(page));
  const late: Fragment = { what: "The late", pages: [{ path: "/late", page: lazily(load) }] };
  await show("/late", late, pages);
  await goTo("/pages/one");
  await goTo("/late");
  screen.getByRole("heading", { name: "Page" });
  assert.equal(load.mock.callCount(), 1);
});
