/** In a page, what tests need of `node:test` and `node:assert/strict`. */

export interface Result {
  readonly name: string;
  readonly error?: string;
}

type Work = () => Promise<void>;
type Expected = Readonly<Record<string, unknown>> | ((error: unknown) => boolean);

const works = new Map<string, Work>();

export function test(name: string, work: Work): void {
  works.set(name, work);
}

/** Run the tests that were registered, one after the other. */
export async function results(): Promise<Result[]> {
  const found: Result[] = [];
  for (const [name, work] of works) {
    try {
      await work();
      found.push({ name });
    } catch (error) {
      found.push({ name, error: error instanceof Error ? `${error}\n${error.stack}` : `${error}` });
    }
  }
  return found;
}

/** Text that tells two values apart, as far as tests do. */
function shown(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === "bigint") {
      return `${each}n`;
    }
    return each instanceof Set ? ["Set", ...each] : each;
  });
}

function check(holds: boolean, message: string): void {
  if (!holds) {
    throw new Error(message);
  }
}

function assert(): never {
  throw new Error("call one of its functions");
}

assert.ok = (value: unknown, message = "it does not hold"): void => check(Boolean(value), message);

assert.equal = (actual: unknown, expected: unknown, message = ""): void =>
  check(Object.is(actual, expected), `${message} expected ${shown(expected)}, got ${shown(actual)}`);

assert.notEqual = (actual: unknown, other: unknown): void =>
  check(!Object.is(actual, other), `got ${shown(actual)}`);

assert.deepEqual = (actual: unknown, expected: unknown): void =>
  assert.equal(shown(actual), shown(expected));

assert.rejects = async (promise: Promise<unknown>, expected: Expected): Promise<void> => {
  const error: unknown = await promise.then(
    () => check(false, "it was not rejected"),
    (each: unknown) => each,
  );
  if (typeof expected === "function") {
    check(expected(error), `rejected with ${error}`);
    return;
  }
  for (const [name, value] of Object.entries(expected)) {
    assert.equal((error as Record<string, unknown>)[name], value, `${error}:`);
  }
};

export default assert;
