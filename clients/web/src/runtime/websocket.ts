/** How a WebSocket takes what is sent, and why it was closed. */
import { ApiError, type DeclaredError, unavailable } from "./errors.js";
import type { MethodType } from "./methods.js";

/** The code of a WebSocket that is closed on purpose. */
export const DONE = 1000;
const REFUSED = 1008;
const DEFECT = 1011;

/** The server leaves, was lost, ends what lasted as long as it may, or something is away or full. */
const COME_BACK: readonly number[] = [1001, 1006, 1012, 1013];

/** Bytes that a WebSocket has not sent, from which on nothing more is given to it. */
const UNSENT_BYTES = 65_536;

/** Frames that wait for a WebSocket. */
const WAITING = 64;

/** How long an open WebSocket may be without room. */
const STUCK_MS = 10_000;

// WebSockets do not tell when they have room.
const POLL_MS = 20;

/** What is sent goes through here, in order, to whichever WebSocket is open. */
export class Outlet {
  /** Whether what was connected has taken nothing for too long. */
  isStuck = false;
  #socket: WebSocket | undefined;
  #ended: ApiError | undefined;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();
  #changed!: () => void;
  #change!: Promise<void>;

  constructor() {
    this.#expectChange();
  }

  /** Send to this WebSocket from now on. */
  open(socket: WebSocket): void {
    this.#socket = socket;
    this.#expectChange();
  }

  /** Send nothing until another WebSocket is open. */
  lose(): void {
    this.#socket = undefined;
    this.#expectChange();
  }

  /** Send nothing more. */
  end(error: ApiError): void {
    this.#ended = error;
    this.#expectChange();
  }

  /**
   * Send a frame, as soon as there is room.
   *
   * @throws ApiError when the end comes first, or too much waits.
   */
  async send(text: string): Promise<void> {
    if (this.#waiting >= WAITING && !this.#ended) {
      throw new ApiError("RESOURCE_EXHAUSTED", `${WAITING} frames wait to be sent: wait for them`);
    }
    this.#waiting += 1;
    const sending = this.#last.then(async () => (await this.#room()).send(text));
    this.#last = sending.catch(() => undefined);
    try {
      await sending;
    } finally {
      this.#waiting -= 1;
    }
  }

  /** The WebSocket, when it has room. */
  async #room(): Promise<WebSocket> {
    let fullSince: number | undefined;
    for (;;) {
      if (this.#ended) {
        throw this.#ended;
      }
      const socket = this.#socket;
      if (!socket) {
        fullSince = undefined;
        await this.#change;
        continue;
      }
      if (socket.bufferedAmount < UNSENT_BYTES) {
        return socket;
      }
      fullSince ??= performance.now();
      if (performance.now() - fullSince >= STUCK_MS) {
        this.isStuck = true;
        const reason = `the server has not taken what was sent for ${STUCK_MS / 1_000} s`;
        throw new ApiError("RESOURCE_EXHAUSTED", reason);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  #expectChange(): void {
    this.#changed?.();
    this.#change = new Promise((resolve) => {
      this.#changed = resolve;
    });
  }
}

/** The error of a WebSocket that was closed; undefined when the call has come to its end. */
export function errorOfClose(
  code: number,
  reason: string,
  method: MethodType,
): ApiError | undefined {
  if (code === DONE) {
    return undefined;
  }
  if (COME_BACK.includes(code)) {
    return unavailable(reason || "the conversation broke off");
  }
  const [, name = "", sentence = reason] = /^(\w+): (.*)$/s.exec(reason) ?? [];
  const message = sentence || `the WebSocket was closed with ${code}`;
  const { errors = {} } = method;
  if (code === REFUSED && Object.hasOwn(errors, name)) {
    // A reason has no room for the fields.
    const error: DeclaredError = { name, fields: undefined };
    return new ApiError(errors[name]?.code ?? "UNKNOWN", message, { error });
  }
  const isCanonical = code === REFUSED && /^[A-Z_]+$/.test(name);
  return new ApiError(isCanonical ? name : code === DEFECT ? "INTERNAL" : "UNKNOWN", message);
}
