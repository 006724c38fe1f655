/** Values that are not what the contract says. */

/** A value that is not what the contract says; its path grows while it passes through readers. */
export class InvalidValue extends Error {
  override readonly name = "InvalidValue";

  /**
   * @param reason - what was expected instead.
   * @param path - where it stands, such as `lines[2].quantity`.
   */
  constructor(
    readonly reason: string,
    readonly path = "",
  ) {
    super(path ? `${path}: ${reason}` : reason);
  }

  /** The same inside of a field or an element. */
  under(part: string): InvalidValue {
    const dot = this.path && !this.path.startsWith("[") ? "." : "";
    return new InvalidValue(this.reason, part + dot + this.path);
  }
}

/** Refuse a value. */
export function refuse(expected: string, value: unknown): never {
  throw new InvalidValue(`expected ${expected}, got ${show(value)}`);
}

/** Work on a part of a value; what is refused in it names the part. */
export function at<T>(part: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof InvalidValue ? error.under(part) : error;
  }
}

function show(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value) ? "an array" : "an object";
  }
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
