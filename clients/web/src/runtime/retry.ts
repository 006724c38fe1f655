/** Doing what has failed again, after a while. */
import type { Deadline } from "./deadline.js";
import { type ApiError, isTransient } from "./errors.js";

/** When a call is made again. */
export interface RetryPolicy {
  /** How often it is made at the most, the first time included: 1 makes it once. */
  readonly attempts: number;
  /** The longest wait before the second attempt, in milliseconds; it doubles each time. */
  readonly baseDelayMs: number;
  /** The longest wait of all, in milliseconds. */
  readonly maximumDelayMs: number;
}

/** What holds when nothing else is said. */
export const RETRY_POLICY: RetryPolicy = { attempts: 4, baseDelayMs: 200, maximumDelayMs: 5_000 };

/**
 * Milliseconds to wait after an attempt: what the server says, else anything up to a bound that
 * doubles, so that clients which failed together do not come back together.
 *
 * @param attempt - which attempt has failed, from 1.
 */
export function delayMs(policy: RetryPolicy, attempt: number, error: ApiError): number {
  const bound = Math.min(policy.maximumDelayMs, policy.baseDelayMs * 2 ** (attempt - 1));
  return error.retryAfterMs ?? Math.random() * bound;
}

/** Work until it succeeds, fails for good, or has no time left for another attempt. */
export async function retrying<T>(
  policy: RetryPolicy,
  deadline: Deadline,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (deadline.signal.aborted || !isTransient(error) || attempt >= policy.attempts) {
        throw error;
      }
      const wait = delayMs(policy, attempt, error);
      if (wait >= deadline.remainingMs) {
        throw error;
      }
      await deadline.sleep(wait);
    }
  }
}
