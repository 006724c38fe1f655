/** What pages are made of, so that those of different fragments look alike. */
import type { Money } from "shop-client/contract/v1/money";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

import { ItemPicture } from "./picture.js";
import { to } from "./router.js";
import { inMoney } from "./words.js";

/** Whether a page was come to from another one, which moves the keyboard's focus to its title. */
const arrival = { first: true };

interface PageTitleProps {
  /** The title; absent as long as it is not known. */
  readonly children?: string | undefined;
  readonly before?: ComponentChildren;
}

/** The title of a page. Who comes to the page by keyboard or screen reader is led to it. */
export function PageTitle({ children, before }: PageTitleProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!arrival.first) {
      heading.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    arrival.first = false;
  }, []);
  useEffect(() => {
    document.title = children ? `${children} · Shop` : "Shop";
  }, [children]);
  return (
    <div class="page-title">
      {before}
      <h1 ref={heading} tabIndex={-1}>
        {children ?? <span class="skeleton line title">One moment …</span>}
      </h1>
    </div>
  );
}

interface NoticeProps {
  readonly kind?: "news" | "problem" | "good";
  readonly children: ComponentChildren;
}

/** A few words that stand out; a problem is told at once. */
export function Notice({ kind = "news", children }: NoticeProps): JSX.Element {
  return (
    <div class={`notice ${kind}`} role={kind === "problem" ? "alert" : undefined}>
      {children}
    </div>
  );
}

interface ItemCardProps {
  readonly sku: string;
  readonly name: string;
  readonly price: Money;
  /** A few words below the price. */
  readonly note?: string | undefined;
}

/** An item in a list, which leads to its page. */
export function ItemCard({ sku, name, price, note }: ItemCardProps): JSX.Element {
  return (
    <li class="card">
      <a href={to(`/items/${encodeURIComponent(sku)}`)}>
        <ItemPicture sku={sku} />
        <span class="name">{name}</span>
      </a>
      <span class="price">{inMoney(price)}</span>
      {note && <span class="note">{note}</span>}
    </li>
  );
}

/** A list of items. */
export function ItemGrid({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <ul class="grid">{children}</ul>;
}

/** Stands in the place of a list of items. */
export function SkeletonGrid({ count = 8 }: { readonly count?: number }): JSX.Element {
  return (
    <div class="grid">
      {Array.from({ length: count }, (_, at) => (
        <div class="card" key={at}>
          <div class="skeleton picture" />
          <div class="skeleton line" />
          <div class="skeleton line short" />
        </div>
      ))}
    </div>
  );
}

/** Stands in the place of lines of text. */
export function SkeletonLines({ count = 4 }: { readonly count?: number }): JSX.Element {
  return (
    <div class="lines">
      {Array.from({ length: count }, (_, at) => (
        <div class="skeleton line" key={at} />
      ))}
    </div>
  );
}

/** Stands in the place of a page with a list of items, so that what is below it stays out of sight. */
export function SkeletonGridPage(): JSX.Element {
  return (
    <div class="waiting" aria-hidden="true">
      <div class="skeleton line title" />
      <SkeletonGrid count={12} />
    </div>
  );
}

/** Stands in the place of a page. */
export function SkeletonPage(): JSX.Element {
  return (
    <div class="waiting" aria-hidden="true">
      <div class="skeleton line title" />
      <SkeletonLines count={8} />
    </div>
  );
}

interface FieldProps {
  readonly label: string;
  readonly name: string;
  readonly type?: "email" | "password" | "text" | "number";
  readonly autocomplete?: string;
  /** What is expected. */
  readonly hint?: string;
  /** What is wrong with what was given. */
  readonly problem?: string | undefined;
  readonly value?: string;
  readonly required?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly min?: number;
  readonly max?: number;
}

/** A field of a form, with its label, what is expected, and what is wrong with it. */
export function Field(props: FieldProps): JSX.Element {
  const { label, hint, problem, type = "text", required = true, value, ...rest } = props;
  const id = useId();
  const described = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ");
  const all = {
    ...rest,
    id,
    required,
    ...(value !== undefined && { defaultValue: value }),
    "aria-invalid": problem ? true : undefined,
    "aria-describedby": described || undefined,
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {/* Types of JSX want the role of each kind of input, so they are told apart here. */}
      {type === "password" ? <input {...all} type="password" /> : null}
      {type === "email" ? <input {...all} type="email" /> : null}
      {type === "number" ? <input {...all} type="number" /> : null}
      {type === "text" ? <input {...all} type="text" /> : null}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problem && (
        <p class="wrong" id={`${id}-problem`}>
          {problem}
        </p>
      )}
    </div>
  );
}
