/**
 * Who may call a method, by what its contract says of roles.
 *
 * A token is believed: this process runs on a loopback, for tests. Elsewhere its signature, issuer,
 * audience and times are to be verified first.
 */

import { status as codes } from "@grpc/grpc-js";

/** A call that may not be made: the answer comes before any handler learns of it. */
export class NotAllowed extends Error {
  /**
   * @param {number} code a status of gRPC
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * Sees to it that a caller has one of the roles that a method asks for.
 *
 * @param {string} method its full name
 * @param {string[]} roles those that its contract names; none where anybody may call it
 * @param {import("@grpc/grpc-js").Metadata} metadata of the call
 */
export function checkRoles(method, roles, metadata) {
  if (roles.length === 0) return;
  const [authorization] = metadata.get("authorization");
  if (authorization === undefined) {
    throw new NotAllowed(codes.UNAUTHENTICATED, `${method}: sign in first`);
  }
  const held = rolesOf(String(authorization));
  if (!roles.some((role) => held.includes(role))) {
    const needed = roles.toSorted().join(" or ");
    throw new NotAllowed(codes.PERMISSION_DENIED, `${method} needs the role ${needed}`);
  }
}

/** The roles that a bearer's token claims. */
function rolesOf(authorization) {
  const [, claims = ""] = authorization.replace(/^Bearer /iu, "").split(".");
  try {
    return JSON.parse(Buffer.from(claims, "base64url").toString()).roles ?? [];
  } catch {
    throw new NotAllowed(codes.UNAUTHENTICATED, "the access token cannot be read");
  }
}
