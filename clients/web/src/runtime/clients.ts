/** Makes what callers call out of what generated code says of methods. */
import type { Connection } from "./connection.js";
import { WebSocketConversation } from "./conversation.js";
import { ApiError, type DeclaredError } from "./errors.js";
import { stream } from "./events.js";
import type {
  BidirectionalStream,
  CallOptions,
  MethodType,
  Paged,
  Refusable,
  Refusal,
  ServerStream,
  Unary,
} from "./methods.js";
import { items, pages } from "./paging.js";

/** A method that answers one request with one response. */
export function unary<Request, Response, E extends DeclaredError>(
  connection: Connection,
  method: MethodType<Response>,
): Unary<Request, Response, E> {
  const call = (request: Request, options?: CallOptions): Promise<Response> =>
    connection.call(method, request, options);
  return Object.assign(call, refusable<E>(method));
}

/**
 * A method that answers with one page of a list.
 *
 * @param member - the member of the response that has the items.
 */
export function paged<Request, Response, Item, E extends DeclaredError>(
  connection: Connection,
  method: MethodType<Response>,
  member: string,
): Paged<Request, Response, Item, E> {
  const pagesOf = (request: Request, options?: CallOptions): AsyncGenerator<Response, void> =>
    pages(request, (each) => connection.call(method, each, options));
  const all = (request: Request, options?: CallOptions): AsyncGenerator<Item, void> =>
    items(pagesOf(request, options), member);
  return Object.assign(unary<Request, Response, E>(connection, method), { all, pages: pagesOf });
}

/** A method that answers one request with a stream. */
export function serverStream<Request, Response, E extends DeclaredError>(
  connection: Connection,
  method: MethodType<Response>,
): ServerStream<Request, Response, E> {
  const call = (request: Request, options?: CallOptions): AsyncGenerator<Response, void> =>
    stream(connection, method, request, options);
  return Object.assign(call, refusable<E>(method));
}

/** A method of two streams. */
export function bidirectional<Request, Frame, Response, E extends DeclaredError>(
  connection: Connection,
  method: MethodType<Response>,
): BidirectionalStream<Request, Frame, Response, E> {
  const call = (request: Request, options?: CallOptions): WebSocketConversation<Frame, Response> =>
    new WebSocketConversation(connection, method, request, options);
  return Object.assign(call, refusable<E>(method));
}

function refusable<E extends DeclaredError>({ errors = {} }: MethodType): Refusable<E> {
  return {
    refused: (thrown: unknown): thrown is Refusal<E> =>
      thrown instanceof ApiError &&
      thrown.error !== undefined &&
      Object.hasOwn(errors, thrown.error.name),
  };
}
