/**
 * A shop that answers as a test says: it stands where `../shop.ts` does, and there is no network.
 *
 * It is the generated client, with its types and its ways to tell declared errors apart; what is
 * replaced is what a method does when it is called.
 */
import { ApiError, type CallOptions, createShop, type DeclaredError, type Refusal } from "shop-client";

import { tokens } from "../session.js";

/** What methods do when they are called. */
const scripts = new Map<unknown, Function>();

/** The calls that no test has foreseen, in words. */
const unforeseen: string[] = [];

/** An object whose members are replaced, each once, when they are first looked at. */
function replaced<T extends object>(whole: T, replace: (name: string, member: unknown) => unknown): T {
  const members = new Map<PropertyKey, unknown>();
  return new Proxy(whole, {
    get(target, name) {
      if (!members.has(name)) {
        members.set(name, replace(String(name), Reflect.get(target, name)));
      }
      return members.get(name);
    },
  });
}

/** A method that does what a test says. All else that it has, it keeps. */
function scripted(name: string, method: unknown): unknown {
  if (typeof method !== "function") {
    return method;
  }
  const replacement = new Proxy(method, {
    apply(_, self, given) {
      const script = scripts.get(replacement);
      if (!script) {
        unforeseen.push(name);
        throw new Error(`no test says what ${name} answers`);
      }
      return Reflect.apply(script, self, given);
    },
  });
  return replacement;
}

const real = createShop({
  baseUrl: location.origin,
  tokens,
  // Reached by what ends a session alone.
  fetch: () => Promise.resolve(Response.json({})),
});

/** The shop of the tests. */
export const shop = replaced(real, (name, client) =>
  typeof client === "object" && client !== null && client !== real.session
    ? replaced(client, (method, member) => scripted(`${name}.${method}`, member))
    : client,
);

/** Something that is called with a request. */
export interface Method<Request, Answer> {
  (request: Request, options?: CallOptions): Answer;
}

/**
 * Say what a method answers from now on, in the present test.
 *
 * @returns the requests that are made of it, as they come.
 */
export function when<Request, Answer>(
  method: Method<Request, Answer>,
  answer: (request: Request, options: CallOptions) => NoInfer<Answer>,
): readonly Request[] {
  const requests: Request[] = [];
  scripts.set(method, (request: Request, options: CallOptions = {}) => {
    requests.push(request);
    return answer(request, options);
  });
  return requests;
}

/** An answer that never comes. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** A refusal with an error that the contract of a method declares. */
export function refusal<E extends DeclaredError>(
  _of: { refused(thrown: unknown): thrown is Refusal<E> },
  error: NoInfer<E>,
): ApiError {
  return new ApiError("FAILED_PRECONDITION", `refused: ${error.name}`, { error });
}

/** What is thrown when a service cannot be reached. */
export function away(): ApiError {
  return new ApiError("UNAVAILABLE", "the server cannot be reached");
}

/** What is thrown when a session has ended. */
export function sessionEnded(): ApiError {
  return new ApiError("UNAUTHENTICATED", "the session has ended");
}

/** An answer that is an error. */
export function fails(error: ApiError): () => Promise<never> {
  return () => Promise.reject(error);
}

/** Begin a session. */
export async function signIn(): Promise<void> {
  const renewAt = Date.now() + 3_600_000;
  await tokens.save({ accessToken: "access", refreshToken: "refresh", renewAt });
}

/**
 * Forget what was said.
 *
 * @returns the calls that nobody had foreseen.
 */
export function forgetScripts(): string[] {
  scripts.clear();
  return unforeseen.splice(0);
}
