/** What stands around every page. */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { said } from "./announcer.js";
import { Notice, PageTitle } from "./controls.js";
import type { Fragment, Page } from "./fragment.js";
import { useObserved } from "./observed.js";
import { Boundary } from "./part.js";
import { match, type Params, place, to } from "./router.js";
import { Composition, Slot } from "./slot.js";
import { ThemeSwitch } from "./theme_switch.js";
import { visit } from "./visit.js";

interface Found {
  readonly fragment: Fragment;
  readonly page: Page;
  readonly params: Params;
}

/** Find the page of a path among those of all fragments. */
export function find(fragments: readonly Fragment[], path: string): Found | null {
  for (const fragment of fragments) {
    for (const page of fragment.pages ?? []) {
      const params = match(page.path, path);
      if (params) {
        return { fragment, page, params };
      }
    }
  }
  return null;
}

/** The storefront: header, page, footer. */
export function Layout({ fragments }: { readonly fragments: readonly Fragment[] }): JSX.Element {
  const main = useRef<HTMLElement>(null);
  return (
    <Composition.Provider value={fragments}>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          // What stands after the sign is where one is, not what is shown of it.
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <Header fragments={fragments} />
      <main id="main" ref={main} tabIndex={-1}>
        <CurrentPage fragments={fragments} />
      </main>
      <footer>
        <p>A shop that is one process until you need more.</p>
        <ThemeSwitch />
      </footer>
      <Announcer />
    </Composition.Provider>
  );
}

/** What a link to a path is where somebody is: the page itself, or that which it is a part of. */
function currency(path: string, here: string): "page" | "true" | undefined {
  if (path === here) {
    return "page";
  }
  return here.startsWith(`${path}/`) ? "true" : undefined;
}

function Header({ fragments }: { readonly fragments: readonly Fragment[] }): JSX.Element {
  const here = useObserved(place).path;
  const account = useObserved(visit.account);
  const links = fragments
    .flatMap((fragment) => fragment.links ?? [])
    .filter(({ role }) => role === undefined || account?.roles.includes(role));
  return (
    <header>
      <div class="bar">
        <a class="brand" href={to("/")}>
          Shop
        </a>
        <search>
          <Slot name="search" with={{}} />
        </search>
        <div class="tools">
          <Slot name="header" with={{}} />
        </div>
      </div>
      <nav aria-label="Shop">
        <ul>
          {links.map(({ label, path }) => (
            <li key={path}>
              <a href={to(path)} aria-current={currency(path, here)}>
                {label}
              </a>
            </li>
          ))}
        </ul>
      </nav>
    </header>
  );
}

function CurrentPage({ fragments }: { readonly fragments: readonly Fragment[] }): JSX.Element {
  const { path, query } = useObserved(place);
  const found = useMemo(() => find(fragments, path), [fragments, path]);
  if (!found) {
    return (
      <>
        <PageTitle>There is no such page</PageTitle>
        <Notice>
          <p>The address may be mistyped, or the page is gone.</p>
          <a class="button" href={to("/")}>
            To the first page
          </a>
        </Notice>
      </>
    );
  }
  const { fragment, page, params } = found;
  const Content = page.page;
  return (
    // Another place is another page, even where both are of one kind.
    <Boundary what={fragment.what} key={path}>
      <Content params={params} query={query} />
    </Boundary>
  );
}

function Announcer(): JSX.Element {
  const [text, setText] = useState("");
  useEffect(() => said.observe(setText), []);
  return (
    <div class="hidden" role="status" aria-live="polite">
      {text}
    </div>
  );
}
