/** Two streams over a WebSocket. */
import type { Connection } from "./connection.js";
import { Deadline } from "./deadline.js";
import { ApiError, type DeclaredError, notOfContract, unavailable } from "./errors.js";
import type { CallOptions, MethodType } from "./methods.js";
import { parse } from "./protojson.js";
import { frame, prepare } from "./requests.js";

/** What is said and heard over a WebSocket; iterating it gives what is heard. */
export interface Conversation<Frame, Response> extends AsyncIterableIterator<Response> {
  /**
   * Say something, as soon as the WebSocket is open.
   *
   * @throws ApiError when the conversation has ended; RESOURCE_EXHAUSTED when a mebibyte waits to
   *   be sent already, since the server or the network takes nothing.
   */
  send(frame: Frame): Promise<void>;
  /** End it. What was said before is still handled. */
  close(): void;
}

const DONE = 1000;
const REFUSED = 1008;
const DEFECT = 1011;

/** Characters and bytes that wait to be sent at the most. */
const MOST_UNSENT = 2 ** 20;
/** Responses that wait to be taken at the most. */
const MOST_UNHEARD = 1_000;

/** The server leaves, was lost, ends what lasted as long as it may, or something is away or full. */
const COME_BACK: readonly number[] = [1001, 1006, 1012, 1013];

type Heard<T> = { readonly value: T } | { readonly error: unknown } | undefined;

/** A conversation, which begins at once. */
export class WebSocketConversation<Frame, Response> implements Conversation<Frame, Response> {
  readonly #method: MethodType<Response>;
  readonly #deadline: Deadline;
  readonly #opening: Promise<WebSocket>;
  readonly #heard: Heard<Response>[] = [];
  #hasEnded = false;
  /** Characters that wait for the WebSocket to open. */
  #early = 0;
  #wake = (): void => undefined;

  constructor(
    connection: Connection,
    method: MethodType<Response>,
    request: unknown,
    options: CallOptions = {},
  ) {
    const { target } = prepare(method, request);
    this.#method = method;
    this.#deadline = new Deadline(options);
    this.#opening = this.#open(connection, target);
    this.#opening.catch((error: unknown) => this.#end({ error }));
  }

  async send(said: Frame): Promise<void> {
    const text = frame(this.#method, said);
    if (this.#early + text.length > MOST_UNSENT) {
      throw tooMuch("what was said before is not sent yet");
    }
    this.#early += text.length;
    const socket = await this.#opening;
    this.#early -= text.length;
    if (this.#hasEnded) {
      throw new ApiError("CANCELLED", "the conversation has ended");
    }
    if (socket.bufferedAmount > MOST_UNSENT) {
      throw tooMuch("what was said before is not sent yet");
    }
    socket.send(text);
  }

  close(): void {
    this.#opening.then((socket) => socket.close(DONE)).catch(() => undefined);
    this.#end(undefined);
  }

  async next(): Promise<IteratorResult<Response, undefined>> {
    while (this.#heard.length === 0 && !this.#hasEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
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

  async #open(connection: Connection, target: string): Promise<WebSocket> {
    const { signal } = this.#deadline;
    signal.throwIfAborted();
    const socket = await connection.open(target, this.#deadline);
    const leave = (): void => {
      socket.close(DONE);
      this.#end({ error: signal.reason });
    };
    signal.addEventListener("abort", leave);
    socket.addEventListener("message", ({ data }) => this.#hear(String(data)));
    const opened = new Promise<WebSocket>((resolve, reject) => {
      socket.addEventListener("open", () => resolve(socket));
      socket.addEventListener("close", ({ code, reason }) => {
        signal.removeEventListener("abort", leave);
        const error = errorOfClose(code, reason, this.#method);
        reject(error ?? unavailable("the conversation has ended"));
        this.#end(error && { error });
      });
    });
    return this.#deadline.until(opened);
  }

  #hear(text: string): void {
    if (this.#hasEnded) {
      return;
    }
    if (this.#heard.length >= MOST_UNHEARD) {
      this.#end({ error: tooMuch(`${MOST_UNHEARD} responses were not taken`) });
      this.close();
      return;
    }
    try {
      this.#heard.push({ value: parse(this.#method.response, text) });
      this.#wake();
    } catch (error) {
      this.#end({ error: notOfContract(this.#method.response.name, error) });
      this.close();
    }
  }

  #end(how: Heard<Response>): void {
    if (!this.#hasEnded) {
      this.#hasEnded = true;
      this.#deadline.release();
      if (how) {
        this.#heard.push(how);
      }
      this.#wake();
    }
  }
}

function tooMuch(reason: string): ApiError {
  return new ApiError("RESOURCE_EXHAUSTED", reason);
}

/** The error of a WebSocket that was closed; undefined when the call has come to its end. */
function errorOfClose(code: number, reason: string, method: MethodType): ApiError | undefined {
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
