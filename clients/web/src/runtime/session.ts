/** Who is signed in: tokens, where they are kept, and how new ones are had. */
import { ApiError } from "./errors.js";

/** What proves who is signed in. */
export interface Tokens {
  readonly accessToken: string;
  /** Gives new tokens, once. */
  readonly refreshToken: string;
  /** When to get new ones, in milliseconds since 1970: a little before the access token expires. */
  readonly renewAt: number;
}

/** Where tokens are kept. */
export interface TokenStore {
  load(): Tokens | null | Promise<Tokens | null>;
  save(tokens: Tokens | null): void | Promise<void>;
}

/** What a method that signs in answers. */
export interface Grant {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Seconds until the access token expires. */
  readonly expiresIn: number;
}

/** What is shown to the server to prove who asks. */
export interface Shown {
  /** Absent when nobody is signed in. */
  readonly accessToken?: string | undefined;
  /** Whether a new one was asked for and did not come, which is not tried again for this call. */
  readonly overdue?: boolean;
}

/** The calls that keep a session alive and end it, where the contract has them. */
export interface SessionCalls {
  /** Get new tokens for a refresh token. */
  readonly refresh?: ((refreshToken: string) => Promise<Grant>) | undefined;
  /** End the session of a refresh token. */
  readonly revoke?: ((refreshToken: string) => Promise<unknown>) | undefined;
}

/** Keep tokens until the page or the process ends. */
export function memoryTokens(tokens: Tokens | null = null): TokenStore {
  return {
    load: () => tokens,
    save(given) {
      tokens = given;
    },
  };
}

/**
 * Keep tokens in `localStorage` or `sessionStorage`. With the former, all pages of one origin share a
 * session. Whatever script runs in a page can read either.
 */
export function storageTokens(
  storage: Pick<Storage, "getItem" | "setItem" | "removeItem">,
  key = "tokens",
): TokenStore {
  return {
    load: () => JSON.parse(storage.getItem(key) ?? "null") as Tokens | null,
    save: (tokens) =>
      tokens ? storage.setItem(key, JSON.stringify(tokens)) : storage.removeItem(key),
  };
}

const EARLIER_MS = 30_000;

/** The session of a client. */
export class Session {
  readonly #store: TokenStore;
  readonly #lock: string;
  readonly #calls: SessionCalls;
  #turn: Promise<unknown> = Promise.resolve();

  /**
   * @param store - where tokens are kept.
   * @param lock - what pages call the lock in which one of them gets new tokens.
   * @param calls - what keeps a session alive and ends it.
   */
  constructor(store: TokenStore, lock: string, calls: SessionCalls) {
    this.#store = store;
    this.#lock = lock;
    this.#calls = calls;
  }

  /** Whether there are tokens. The server may refuse them all the same. */
  async isSignedIn(): Promise<boolean> {
    return (await this.#store.load()) !== null;
  }

  /** End the session, here first and then at the server. */
  async signOut(): Promise<void> {
    const tokens = await this.#alone(async () => {
      const found = await this.#store.load();
      await this.#store.save(null);
      return found;
    });
    if (tokens) {
      await this.#calls.revoke?.(tokens.refreshToken);
    }
  }

  /** Begin a session with what a method that signs in has answered. */
  async begin(grant: Grant): Promise<void> {
    await this.#store.save(tokensOf(grant));
  }

  /** Forget a session that was ended, by its refresh token. */
  async forget(refreshToken: string): Promise<void> {
    if ((await this.#store.load())?.refreshToken === refreshToken) {
      await this.#store.save(null);
    }
  }

  /**
   * An access token to show, a new one when the time has come.
   *
   * @throws ApiError UNAUTHENTICATED when the session has ended. It is forgotten then, and who calls
   * again is nobody.
   */
  async shown(): Promise<Shown> {
    const tokens = await this.#store.load();
    if (!tokens || Date.now() < tokens.renewAt) {
      return { accessToken: tokens?.accessToken };
    }
    try {
      return { accessToken: await this.renewed(tokens.accessToken) };
    } catch (error) {
      if (error instanceof ApiError && error.code === "UNAUTHENTICATED") {
        throw error;
      }
      // It may be good for a little longer.
      return { accessToken: tokens.accessToken, overdue: true };
    }
  }

  /**
   * Another access token than one that is refused, or about to be.
   *
   * A refresh token is good once, and one that is used again ends the session. So tokens are asked
   * for by one at a time, and whoever comes next finds those that were given to the one before.
   */
  renewed(accessToken: string): Promise<string | undefined> {
    return this.#alone(async () => {
      const tokens = await this.#store.load();
      if (!tokens || tokens.accessToken !== accessToken || !this.#calls.refresh) {
        return tokens?.accessToken;
      }
      try {
        const renewed = tokensOf(await this.#calls.refresh(tokens.refreshToken));
        // Whoever signed in meanwhile has the last word.
        const now = await this.#store.load();
        if (now?.refreshToken !== tokens.refreshToken) {
          return now?.accessToken;
        }
        await this.#store.save(renewed);
        return renewed.accessToken;
      } catch (error) {
        if (error instanceof ApiError && error.code === "UNAUTHENTICATED") {
          await this.forget(tokens.refreshToken);
        }
        throw error;
      }
    });
  }

  /** Work while nobody else does, in this page or in another that shares its lock. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const locks = globalThis.navigator?.locks as LockManager | undefined;
    const turn = this.#turn.then(() => (locks ? locks.request(this.#lock, work) : work()));
    this.#turn = turn.catch(() => undefined);
    return turn as Promise<T>;
  }
}

function tokensOf({ accessToken, refreshToken, expiresIn }: Grant): Tokens {
  const lastsMs = expiresIn * 1_000;
  // Of one that lasts a moment, half is left to be used.
  const renewAt = Date.now() + Math.max(lastsMs - EARLIER_MS, lastsMs / 2);
  return { accessToken, refreshToken, renewAt };
}
