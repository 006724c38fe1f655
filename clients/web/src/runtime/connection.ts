/** Calls over HTTP. */
import { type CallLimits, Deadline } from "./deadline.js";
import { ApiError, errorOfResponse, notOfContract, unavailable } from "./errors.js";
import type { CallOptions, MethodType } from "./methods.js";
import { parse } from "./protojson.js";
import { invalid, type PreparedRequest, prepare } from "./requests.js";
import { RETRY_POLICY, type RetryPolicy, retrying } from "./retry.js";
import { type Grant, memoryTokens, Session, type TokenStore } from "./session.js";

/** What a client is made of. */
export interface ClientOptions {
  /** Where the server is, such as `https://shop.example.com`. A path in it is kept. */
  readonly baseUrl: string;
  /** Where the tokens of a session are kept; in memory when absent. */
  readonly tokens?: TokenStore;
  /** When calls are made again that the contract lets be made again. */
  readonly retry?: Partial<RetryPolicy>;
  /** What sends requests; `fetch` of the platform when absent. */
  readonly fetch?: typeof fetch;
  /** What opens WebSockets; that of the platform when absent, which Node has from version 22 on. */
  readonly webSocket?: new (url: string, protocols?: string[]) => WebSocket;
}

/** The methods of the contract that keep a session alive and end it. */
export interface SessionMethods {
  readonly refresh?: MethodType<Grant>;
  readonly revoke?: MethodType;
}

/** What a header can hold. */
const KEY = /^[!-~](?:[ -~]*[!-~])?$/;

type Headers = Readonly<Record<string, string>>;

/** A server, and who is signed in there. */
export class Connection {
  /** Who is signed in. */
  readonly session: Session;
  /** When calls are made again. */
  readonly retry: RetryPolicy;
  readonly #baseUrl: string;
  readonly #options: ClientOptions;

  /** @throws TypeError when `baseUrl` is no address. */
  constructor(options: ClientOptions, { refresh, revoke }: SessionMethods = {}) {
    this.#options = options;
    this.#baseUrl = addressOf(options.baseUrl);
    this.retry = { ...RETRY_POLICY, ...options.retry };
    const once =
      <T>(method: MethodType<T>) =>
      (refreshToken: string) =>
        this.#limited(method, {}, (deadline) =>
          this.#exchange(method, prepare(method, { refreshToken }), {}, deadline),
        );
    this.session = new Session(options.tokens ?? memoryTokens(), `tokens of ${this.#baseUrl}`, {
      // Once: a refresh token is refused the second time.
      refresh: refresh && once(refresh),
      revoke: revoke && once(revoke),
    });
  }

  /**
   * Call a method that answers with one response.
   *
   * @throws ApiError when it fails.
   */
  async call<T>(method: MethodType<T>, request: unknown, options: CallOptions = {}): Promise<T> {
    const prepared = prepare(method, request);
    const key = options.idempotencyKey ?? randomKey();
    if (!KEY.test(key)) {
      throw invalid("idempotencyKey", "expected printable characters of ASCII");
    }
    const headers: Headers = method.idempotencyKey ? { "idempotency-key": key } : {};
    const mayRepeat = method.retriable ?? method.idempotencyKey;
    const policy = mayRepeat ? this.retry : { ...this.retry, attempts: 1 };
    const response = await this.#limited(method, options, (deadline) =>
      retrying(policy, deadline, () => this.#exchange(method, prepared, headers, deadline)),
    );
    if (method.session === "begins") {
      await this.session.begin(response as Grant);
    } else if (method.session === "ends") {
      await this.session.forget((request as { refreshToken: string }).refreshToken);
    }
    return response;
  }

  /**
   * Send a request. One that is refused because of its token is sent again with a new one.
   *
   * @returns an answer of success, whose body is still to be read.
   * @throws ApiError when the answer is none, or there is no answer.
   */
  async send(
    method: MethodType,
    prepared: PreparedRequest,
    headers: Headers,
    deadline: Deadline,
  ): Promise<Response> {
    // Who begins or ends a session proves who they are by what is in the request.
    const { accessToken: shown, overdue = false } =
      method.session && method.public ? {} : await deadline.until(this.session.shown());
    let response = await this.#fetch(method, prepared, headers, shown, deadline);
    if (response.status === 401 && shown) {
      const error = await errorOfResponse(response, method.errors ?? {});
      const renewed =
        error.error || overdue ? shown : await deadline.until(this.#renewed(shown, error));
      if (renewed === shown || renewed === undefined) {
        throw error;
      }
      response = await this.#fetch(method, prepared, headers, renewed, deadline);
    }
    if (!response.ok) {
      throw await errorOfResponse(response, method.errors ?? {});
    }
    return response;
  }

  /** Open a WebSocket at a path and query. */
  async open(target: string, deadline: Deadline): Promise<WebSocket> {
    const { accessToken: token } = await deadline.until(this.session.shown());
    const Socket = this.#options.webSocket ?? globalThis.WebSocket;
    if (!Socket) {
      throw new ApiError(
        "UNIMPLEMENTED",
        "this platform has no WebSocket: set the option `webSocket`, for example to that of `ws`",
      );
    }
    const { href } = new URL(this.#baseUrl, globalThis.location?.href);
    const url = href.replace(/^http/, "ws").replace(/\/+$/, "") + target;
    // Browsers can send a token in no other way.
    return new Socket(url, token ? ["bearer", token] : []);
  }

  /** Another token than one that is refused; what stands in its way is no reason to call again. */
  async #renewed(shown: string, refusal: ApiError): Promise<string | undefined> {
    try {
      return await this.session.renewed(shown);
    } catch (error) {
      throw error instanceof ApiError && error.code === "UNAUTHENTICATED" ? error : refusal;
    }
  }

  async #limited<T>(
    method: MethodType,
    { signal, timeoutMs = method.timeoutMs }: CallLimits,
    work: (deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const deadline = new Deadline({ signal, timeoutMs });
    try {
      deadline.signal.throwIfAborted();
      return await work(deadline);
    } catch (error) {
      // Whatever broke off because of it, this is why.
      deadline.signal.throwIfAborted();
      throw error;
    } finally {
      deadline.release();
    }
  }

  async #exchange<T>(
    method: MethodType<T>,
    prepared: PreparedRequest,
    headers: Headers,
    deadline: Deadline,
  ): Promise<T> {
    const response = await this.send(method, prepared, headers, deadline);
    const text = await response.text().catch((error: unknown) => {
      throw unavailable("the answer broke off", error);
    });
    try {
      return parse(method.response, text);
    } catch (error) {
      throw notOfContract(method.response.name, error);
    }
  }

  async #fetch(
    { verb }: MethodType,
    { target, body }: PreparedRequest,
    headers: Headers,
    token: string | undefined,
    { signal }: Deadline,
  ): Promise<Response> {
    const send = this.#options.fetch ?? globalThis.fetch;
    try {
      return await send(this.#baseUrl + target, {
        method: verb,
        headers: {
          ...(body !== null && { "content-type": "application/json" }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body,
        signal,
      });
    } catch (error) {
      throw unavailable("the server cannot be reached", error);
    }
  }
}

/** An address that paths can follow. In a page it may be relative to that. */
function addressOf(baseUrl: string): string {
  let protocol = "";
  try {
    protocol = new URL(baseUrl, globalThis.location?.href).protocol;
  } catch {
    // It is none.
  }
  if (!/^https?:$/.test(protocol)) {
    throw new TypeError(`baseUrl: expected such as https://shop.example, got "${baseUrl}"`);
  }
  return baseUrl.replace(/\/+$/, "");
}

/** 128 random bits; `crypto.randomUUID` is there in secure contexts alone. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
