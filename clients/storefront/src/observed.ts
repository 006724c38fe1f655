/** Values that change, and whoever shows them. */
import { useEffect, useState } from "preact/hooks";

/** A value, and those who want to know when it changes. */
export class Observed<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) {
      return;
    }
    this.#value = value;
    for (const tell of [...this.#listeners]) {
      tell(value);
    }
  }

  /** Be told of each new value. @returns what ends that. */
  observe(tell: (value: T) => void): () => void {
    this.#listeners.add(tell);
    return () => this.#listeners.delete(tell);
  }
}

/** Make an observed text that outlives the page, and that other pages of the shop change too. */
export function kept(key: string): Observed<string | null> {
  const observed = new Observed(localStorage.getItem(key));
  observed.observe((value) =>
    value === null ? localStorage.removeItem(key) : localStorage.setItem(key, value),
  );
  addEventListener("storage", (event) => {
    if (event.key === key) {
      observed.set(event.newValue);
    }
  });
  return observed;
}

/** The value, in a component that is rendered again when it changes. */
export function useObserved<T>(observed: Observed<T>): T {
  const [value, setValue] = useState(observed.value);
  useEffect(() => {
    setValue(observed.value);
    return observed.observe((next) => setValue(() => next));
  }, [observed]);
  return value;
}
