/** What those who call need of the run-time. */
export type { ClientOptions } from "./connection.js";
export type { Conversation } from "./conversation.js";
export { ApiError, type Code, type DeclaredError, type FieldProblem } from "./errors.js";
export type {
  BidirectionalStream,
  CallOptions,
  Paged,
  Refusal,
  ServerStream,
  Unary,
} from "./methods.js";
export type { Empty } from "./protojson.js";
export type { RetryPolicy } from "./retry.js";
export {
  memoryTokens,
  type Session,
  storageTokens,
  type Tokens,
  type TokenStore,
} from "./session.js";
export {
  compareTimestamps,
  type Duration,
  fromMilliseconds,
  type Timestamp,
  toDate,
  toMilliseconds,
} from "./time.js";
