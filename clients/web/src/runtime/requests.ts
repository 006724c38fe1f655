/** How the members of a request become a path, a query and a body. */
import { ApiError } from "./errors.js";
import { InvalidValue } from "./invalid.js";
import type { MethodType } from "./methods.js";
import { write } from "./protojson.js";

/** What is sent. */
export interface PreparedRequest {
  /** The path and the query. */
  readonly target: string;
  readonly body: string | null;
}

// Names are percent-encoded, since one may have braces.
const VARIABLE = /\{([^{}]+)\}/g;

/**
 * Prepare a request.
 *
 * @throws ApiError INVALID_ARGUMENT when a member is no value of its type, or no path can hold it.
 */
export function prepare(method: MethodType, request: unknown): PreparedRequest {
  const written = writeRequest(method, request);
  const path = method.path.replace(VARIABLE, (_, encoded: string) => {
    const name = decodeURIComponent(encoded);
    // What has its default is left out elsewhere; in a path it has its place.
    const value = written[name] ?? writeRequest(method, request, true)[name];
    delete written[name];
    return segment(name, value);
  });
  const query = new URLSearchParams();
  for (const name of method.query ?? []) {
    for (const each of [written[name] ?? []].flat()) {
      query.append(name, String(each));
    }
  }
  const { body } = method;
  const content = body === "*" ? written : body === undefined ? null : (written[body] ?? {});
  return {
    target: query.size ? `${path}?${query}` : path,
    body: content && JSON.stringify(content),
  };
}

/** Write what follows the first request of a conversation, without what its path says. */
export function frame(method: MethodType, request: unknown): string {
  const written = writeRequest(method, request);
  for (const [, name = ""] of method.path.matchAll(VARIABLE)) {
    delete written[decodeURIComponent(name)];
  }
  return JSON.stringify(written);
}

function writeRequest(
  method: MethodType,
  request: unknown,
  defaults = false,
): Record<string, unknown> {
  try {
    return write(method.request, request ?? {}, defaults) as Record<string, unknown>;
  } catch (error) {
    throw error instanceof InvalidValue ? invalid(error.path, error.reason, error) : error;
  }
}

function segment(name: string, value: unknown): string {
  const text = String(value ?? "");
  // Of these, platforms make another path before they send it.
  if (text === "" || text === "." || text === "..") {
    throw invalid(name, `${JSON.stringify(text)} cannot be part of a path`);
  }
  return encodeURIComponent(text);
}

/** What a request cannot say, told as a server tells it. */
export function invalid(field: string, detail: string, cause?: unknown): ApiError {
  const message = field ? `${field}: ${detail}` : detail;
  return new ApiError("INVALID_ARGUMENT", message, { cause, fieldProblems: [{ field, detail }] });
}
