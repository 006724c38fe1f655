/** What generated code needs of the run-time. */
export { bidirectional, paged, serverStream, unary } from "./clients.js";
export { type ClientOptions, Connection } from "./connection.js";
export type { DeclaredError } from "./errors.js";
export type {
  BidirectionalStream,
  MethodType,
  Paged,
  ServerStream,
  Unary,
} from "./methods.js";
export {
  type Empty,
  emptyType,
  type EnumType,
  fieldMaskType,
  type MessageType,
} from "./protojson.js";
export type { Session } from "./session.js";
export type { Duration, Timestamp } from "./time.js";
