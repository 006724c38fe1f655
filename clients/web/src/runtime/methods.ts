/** What generated code says of methods, and what they are to those who call them. */
import type { Conversation } from "./conversation.js";
import type { CallLimits } from "./deadline.js";
import type { ApiError, DeclaredError, ErrorTypes } from "./errors.js";
import type { MessageType } from "./protojson.js";

/** A method of a contract, as it is bound to HTTP. */
export interface MethodType<Response = unknown> {
  /** Its full name, such as `library.v1.LibraryApi.GetBook`. */
  readonly name: string;
  readonly verb: "DELETE" | "GET" | "PATCH" | "POST" | "PUT";
  /** Its path, in which `{isbn}` stands for a member of the request. */
  readonly path: string;
  /** The members that go into the query. */
  readonly query?: readonly string[];
  /** The member that is the body; `*` for all that are not in the path. */
  readonly body?: string;
  readonly request: MessageType;
  readonly response: MessageType<Response>;
  /** Milliseconds that a call may take when nothing else is said. */
  readonly timeoutMs: number;
  /** Whether it may be called again when nobody knows if the call before took effect. */
  readonly retriable?: true;
  /** Whether a call has a key, by which the server knows it again. */
  readonly idempotencyKey?: true;
  /** The errors that it declares. */
  readonly errors?: ErrorTypes;
  /** What it does to the session: its answer begins one, or it ends that of its refresh token. */
  readonly session?: "begins" | "ends";
  /** Whether nobody need be signed in. */
  readonly public?: true;
  /** Whether a stream of events can go on where it broke off. */
  readonly resumes?: true;
  /** Where a conversation goes on that broke off. */
  readonly position?: {
    /** The parameter of the query that says after which position. */
    readonly request: string;
    /** Where a response has its position, if it has one: members of its JSON, from the outside. */
    readonly response: readonly string[];
  };
}

/** What a caller may say of one call. */
export interface CallOptions extends CallLimits {
  /**
   * The key of a method that takes one. Without it each call makes its own, which its attempts share;
   * give one to ask again after your program was restarted.
   */
  readonly idempotencyKey?: string;
}

/** An error of which is known that it is one of a method's declared ones. */
export type Refusal<E extends DeclaredError> = ApiError & { readonly error: E };

/** What every method can tell. */
export interface Refusable<E extends DeclaredError> {
  /** Whether something that was thrown is one of the errors that the method declares. */
  refused(thrown: unknown): thrown is Refusal<E>;
}

/** A method that answers one request with one response. */
export interface Unary<Request, Response, E extends DeclaredError> extends Refusable<E> {
  /** @throws ApiError when it fails. */
  (request: Request, options?: CallOptions): Promise<Response>;
}

/** A method that answers with one page of a list. */
export interface Paged<Request, Response, Item, E extends DeclaredError>
  extends Unary<Request, Response, E> {
  /** All items, from the page that the request names on; pages are asked for as they are needed. */
  all(request: Request, options?: CallOptions): AsyncIterableIterator<Item>;
  /** All pages, from the one that the request names on. */
  pages(request: Request, options?: CallOptions): AsyncIterableIterator<Response>;
}

/** A method that answers one request with a stream, as server-sent events. */
export interface ServerStream<Request, Response, E extends DeclaredError> extends Refusable<E> {
  /**
   * The stream, which is asked for when it is iterated, and left when its iteration ends. Without
   * `timeoutMs` it may last for ever.
   */
  (request: Request, options?: CallOptions): AsyncIterableIterator<Response>;
}

/** A method of two streams, over a WebSocket. */
export interface BidirectionalStream<Request, Frame, Response, E extends DeclaredError>
  extends Refusable<E> {
  /** Open a conversation with its first request. Without `timeoutMs` it may last for ever. */
  (request: Request, options?: CallOptions): Conversation<Frame, Response>;
}
