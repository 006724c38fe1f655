/** Two streams over a WebSocket. */
import type { Connection } from "./connection.js";
import { Deadline } from "./deadline.js";
import { ApiError, notOfContract, unavailable } from "./errors.js";
import type { CallOptions, MethodType } from "./methods.js";
import { parse } from "./protojson.js";
import { frame, invalid, prepare } from "./requests.js";
import { delayMs } from "./retry.js";
import { DONE, errorOfClose, Outlet } from "./websocket.js";

/** What is said and heard over a WebSocket; iterating it gives what is heard. */
export interface Conversation<Frame, Response> extends AsyncIterableIterator<Response> {
  /**
   * Say something, as soon as the WebSocket is open and has room. That it was sent does not mean that
   * it was handled: what was on its way when the connection was lost may be lost too.
   *
   * @throws ApiError when the conversation has ended, or too much waits to be sent.
   */
  send(frame: Frame): Promise<void>;
  /** End it. What was sent before is still handled. */
  close(): void;
}

/** Responses that wait for the reader. A WebSocket has no way to ask for fewer. */
const UNREAD = 1_000;

/** How often in a row a WebSocket that was lost is opened again. */
const ATTEMPTS = 20;

/** How long a WebSocket may take to open. */
const OPENING_MS = 10_000;

/** From when on one that was open was good, also when nobody has said anything. */
const STEADY_MS = 10_000;

/** What a server takes as one frame. */
const FRAME_BYTES = 65_536;

type Heard<T> = { readonly value: T } | { readonly error: unknown } | undefined;

/** A conversation, which begins at once. */
export class WebSocketConversation<Frame, Response> implements Conversation<Frame, Response> {
  readonly #connection: Connection;
  readonly #method: MethodType<Response>;
  readonly #target: string;
  readonly #deadline: Deadline;
  readonly #outlet = new Outlet();
  readonly #heard: Heard<Response>[] = [];
  #socket: WebSocket | undefined;
  #position: string | undefined;
  #failures = 0;
  #hasBegun = false;
  #hasEnded = false;
  #wakes: (() => void)[] = [];

  constructor(
    connection: Connection,
    method: MethodType<Response>,
    request: unknown,
    options: CallOptions = {},
  ) {
    this.#connection = connection;
    this.#method = method;
    this.#target = prepare(method, request).target;
    this.#deadline = new Deadline(options);
    const { signal } = this.#deadline;
    signal.addEventListener("abort", () => this.#end({ error: signal.reason }));
    this.#converse().then(
      () => this.#end(undefined),
      (error: unknown) => this.#end({ error }),
    );
  }

  async send(said: Frame): Promise<void> {
    const text = frame(this.#method, said);
    const { length } = new TextEncoder().encode(text);
    if (length > FRAME_BYTES) {
      throw invalid("", `expected at most ${FRAME_BYTES} bytes at once, got ${length}`);
    }
    try {
      await this.#outlet.send(text);
    } catch (error) {
      if (this.#outlet.isStuck) {
        this.#end({ error });
      }
      throw error;
    }
  }

  close(): void {
    this.#end(undefined);
  }

  async next(): Promise<IteratorResult<Response, undefined>> {
    while (this.#heard.length === 0 && !this.#hasEnded) {
      await new Promise<void>((resolve) => {
        this.#wakes.push(resolve);
      });
    }
    const heard = this.#heard.shift();
    if (heard && "error" in heard) {
      throw heard.error;
    }
    return heard ? { done: false, value: heard.value } : { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Response, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Be connected until the end, again after each loss where the contract says how to go on. */
  async #converse(): Promise<void> {
    const { signal } = this.#deadline;
    for (;;) {
      signal.throwIfAborted();
      try {
        await this.#connect();
        return;
      } catch (error) {
        const isLost = error instanceof ApiError && error.code === "UNAVAILABLE" && !error.error;
        this.#failures += 1;
        const mayGoOn = this.#method.position && this.#hasBegun && this.#failures <= ATTEMPTS;
        if (signal.aborted || !isLost || !mayGoOn) {
          throw error;
        }
        await this.#deadline.sleep(delayMs(this.#connection.retry, this.#failures, error));
      }
    }
  }

  /** Be connected once, until the WebSocket is closed. */
  async #connect(): Promise<void> {
    const socket = await this.#connection.open(this.#targetNow(), this.#deadline);
    if (this.#hasEnded) {
      socket.close(DONE);
      return;
    }
    this.#socket = socket;
    let openedAt = Number.POSITIVE_INFINITY;
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => {
        reject(unavailable(`no WebSocket was opened within ${OPENING_MS / 1_000} s`));
        socket.close();
      }, OPENING_MS);
      socket.addEventListener("open", () => {
        clearTimeout(late);
        openedAt = performance.now();
        this.#hasBegun = true;
        this.#outlet.open(socket);
      });
      socket.addEventListener("message", ({ data }) => this.#hear(String(data)));
      socket.addEventListener("close", ({ code, reason }) => {
        clearTimeout(late);
        this.#outlet.lose();
        if (performance.now() - openedAt >= STEADY_MS) {
          this.#failures = 0;
        }
        const error = errorOfClose(code, reason, this.#method);
        error ? reject(error) : resolve();
      });
    });
  }

  /** The path and the query, which say after which response to go on. */
  #targetNow(): string {
    const { position } = this.#method;
    if (!position || this.#position === undefined) {
      return this.#target;
    }
    const [path, query] = this.#target.split("?", 2);
    const parameters = new URLSearchParams(query);
    parameters.set(position.request, this.#position);
    return `${path}?${parameters}`;
  }

  #hear(text: string): void {
    if (this.#hasEnded) {
      return;
    }
    if (this.#heard.length >= UNREAD) {
      const reason = `${UNREAD} responses wait to be read: the conversation is read too slowly`;
      this.#end({ error: new ApiError("RESOURCE_EXHAUSTED", reason) });
      return;
    }
    try {
      this.#heard.push({ value: parse(this.#method.response, text) });
    } catch (error) {
      this.#end({ error: notOfContract(this.#method.response.name, error) });
      return;
    }
    this.#failures = 0;
    this.#position = positionIn(text, this.#method) ?? this.#position;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) {
      wake();
    }
  }

  #end(how: Heard<Response>): void {
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      const ended = new ApiError("CANCELLED", "the conversation has ended");
      this.#outlet.end(ended);
      // Ends the wait for another connection.
      this.#deadline.end(ended);
      this.#deadline.release();
      this.#socket?.close(DONE);
      if (how) {
        this.#heard.push(how);
      }
      this.#wake();
    }
  }
}

/** The position that a response has; undefined when it has none. */
function positionIn(text: string, { position }: MethodType): string | undefined {
  let found: unknown = position && JSON.parse(text);
  for (const name of position?.response ?? []) {
    found = (found as Readonly<Record<string, unknown>> | null | undefined)?.[name];
  }
  return found === undefined || found === null ? undefined : String(found);
}
