/** Time-outs, cancellation, and waiting in between attempts. */
import { ApiError } from "./errors.js";

// Timers count milliseconds in 31 bits, and fire at once beyond them.
const LONGEST_TIMER = 2 ** 31 - 1;

/** How long a call may take, and how it ends early. */
export interface CallLimits {
  /** Ends the call: it fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until it fails with DEADLINE_EXCEEDED, whatever is tried again in between. */
  readonly timeoutMs?: number | undefined;
}

/** The limits of one call. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #end: number;
  readonly #timer: ReturnType<typeof setTimeout> | undefined;

  /** @throws RangeError when the time-out is no number. */
  constructor({ signal, timeoutMs = Number.POSITIVE_INFINITY }: CallLimits) {
    if (Number.isNaN(timeoutMs)) {
      throw new RangeError("timeoutMs: expected a number of milliseconds, got NaN");
    }
    this.#outer = signal;
    // Of a clock that nobody sets.
    this.#end = performance.now() + timeoutMs;
    if (signal?.aborted) {
      this.#cancel();
    }
    signal?.addEventListener("abort", this.#cancel);
    if (timeoutMs <= LONGEST_TIMER) {
      const late = new ApiError("DEADLINE_EXCEEDED", `there was no answer within ${timeoutMs} ms`);
      if (timeoutMs > 0) {
        this.#timer = setTimeout(() => this.end(late), timeoutMs);
      } else {
        this.end(late);
      }
    }
  }

  /** Is aborted when the call has to end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Milliseconds that are left. */
  get remainingMs(): number {
    return this.#end - performance.now();
  }

  /** End the call. */
  end(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** Give back what the limits hold on to. */
  release(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#cancel);
  }

  /** Wait for something that does not know the signal, no longer than the call may take. */
  async until<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    let stop!: () => void;
    const stopped = new Promise<never>((_, reject) => {
      stop = () => reject(signal.reason);
      signal.addEventListener("abort", stop);
    });
    if (signal.aborted) {
      stop();
    }
    try {
      return await Promise.race([work, stopped]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Wait for some time, no longer than the call may take. */
  async sleep(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const slept = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.min(milliseconds, LONGEST_TIMER));
    });
    try {
      await this.until(slept);
    } finally {
      clearTimeout(timer);
    }
  }

  readonly #cancel = (): void => this.end(this.#outer?.reason);
}
