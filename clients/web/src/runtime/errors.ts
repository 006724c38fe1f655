/**
 * What goes wrong in a call.
 *
 * Source: RFC 9457, https://www.rfc-editor.org/rfc/rfc9457, with the members `code`, `error`, `fields`
 * and `errors`.
 */
import { InvalidValue } from "./invalid.js";
import { type MessageType, read } from "./protojson.js";

/**
 * A canonical status code.
 *
 * Source: https://grpc.github.io/grpc/core/md_doc_statuscodes.html.
 */
export type Code =
  | "CANCELLED"
  | "UNKNOWN"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "OUT_OF_RANGE"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "DATA_LOSS"
  | "UNAUTHENTICATED"
  | (string & {});

/** An error that a contract declares: its name there, and its fields. */
export interface DeclaredError<Name extends string = string, Fields = unknown> {
  readonly name: Name;
  readonly fields: Fields;
}

/** A field of a request that is refused, and why. */
export interface FieldProblem {
  readonly field: string;
  readonly detail: string;
}

/** What is known of an error besides its code and what it says. */
export interface ErrorDetails {
  readonly status?: number;
  readonly error?: DeclaredError | undefined;
  readonly fieldProblems?: readonly FieldProblem[];
  readonly retryAfterMs?: number | undefined;
  readonly requestId?: string | undefined;
  readonly cause?: unknown;
}

/** A call has failed. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The HTTP status; absent when there was no answer. */
  readonly status: number | undefined;
  /**
   * The error of the contract that it is, if it is one. Which it may be depends on the method: its
   * `refused` narrows this member to the errors that it declares.
   */
  readonly error: DeclaredError | undefined;
  /** The fields of the request that are refused, where the answer names them. */
  readonly fieldProblems: readonly FieldProblem[];
  /** After how many milliseconds the server wants to be asked again, where it says so. */
  readonly retryAfterMs: number | undefined;
  /** The id by which the server's log knows the request. */
  readonly requestId: string | undefined;

  /**
   * @param code - the canonical code.
   * @param message - what has happened, in one sentence.
   */
  constructor(
    readonly code: Code,
    message: string,
    details: ErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.status = details.status;
    this.error = details.error;
    this.fieldProblems = details.fieldProblems ?? [];
    this.retryAfterMs = details.retryAfterMs;
    this.requestId = details.requestId;
  }
}

/** The errors that a method declares, by their names. */
export type ErrorTypes = Readonly<Record<string, MessageType>>;

type Problem = Readonly<Record<string, unknown>>;

/** Of answers that are no problems, since something between wrote them. */
const CODES: Readonly<Record<number, Code>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  408: "DEADLINE_EXCEEDED",
  413: "INVALID_ARGUMENT",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  501: "UNIMPLEMENTED",
  502: "UNAVAILABLE",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

/** The error that an answer is. */
export async function errorOfResponse(response: Response, types: ErrorTypes): Promise<ApiError> {
  const { status, headers } = response;
  const problem = problemOf(await response.text().catch(() => ""));
  return errorOfProblem(problem, types, {
    status,
    retryAfterMs: retryAfterMs(headers.get("retry-after")),
    requestId: headers.get("x-request-id") ?? undefined,
  });
}

/** The error that the text of an event is. */
export function errorOfEvent(text: string, types: ErrorTypes): ApiError {
  return errorOfProblem(problemOf(text), types, {});
}

/** An answer that is not what the contract says. */
export function notOfContract(name: string, cause: unknown): ApiError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ApiError("INTERNAL", `the answer is no ${name}: ${reason}`, { cause });
}

/** The error of a server that is not there, or not any more. */
export function unavailable(reason: string, cause?: unknown): ApiError {
  return new ApiError("UNAVAILABLE", reason, { cause });
}

/** Whether a call failed in a way that may be over soon, be it before or after it took effect. */
export function isTransient(error: unknown): error is ApiError {
  return (
    error instanceof ApiError &&
    !error.error &&
    (error.code === "UNAVAILABLE" || error.code === "RESOURCE_EXHAUSTED")
  );
}

function errorOfProblem(problem: Problem, types: ErrorTypes, details: ErrorDetails): ApiError {
  const { title, detail = title, error, fields, errors } = problem;
  const byStatus = CODES[details.status ?? 0] ?? "UNKNOWN";
  const code = typeof problem["code"] === "string" ? problem["code"] : byStatus;
  const message = typeof detail === "string" ? detail : `the answer has status ${details.status}`;
  return new ApiError(code, message, {
    ...details,
    error: typeof error === "string" ? declared(error, fields, types) : undefined,
    fieldProblems: Array.isArray(errors) ? (errors as FieldProblem[]) : [],
  });
}

function declared(name: string, fields: unknown, types: ErrorTypes): DeclaredError {
  // One that a newer server has is told as it came.
  const type = Object.hasOwn(types, name) ? types[name] : undefined;
  try {
    return { name, fields: type ? read(type, fields) : fields };
  } catch (error) {
    throw error instanceof InvalidValue ? notOfContract(name, error) : error;
  }
}

/**
 * Milliseconds of a header `Retry-After`, which has seconds or a date.
 *
 * Source: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3.
 */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) {
    return undefined;
  }
  const after = /^[0-9]+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(after) ? undefined : Math.max(0, after);
}

function problemOf(text: string): Problem {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Problem) : {};
  } catch {
    return {};
  }
}
