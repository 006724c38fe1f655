/**
 * Scalars in ProtoJSON: what is read, and how it is written.
 *
 * Source: ProtoJSON, https://protobuf.dev/programming-guides/json.
 */
import { refuse } from "./invalid.js";
import { readDuration, readTimestamp, writeDate } from "./time.js";

/** A type of single values that has no fields. */
export type Scalar =
  | "bool"
  | "bytes"
  | "double"
  | "duration"
  | "fieldMask"
  | "float"
  | "int32"
  | "int64"
  | "string"
  | "timestamp"
  | "uint32"
  | "uint64";

/** Digits of a number that JavaScript would round. */
export class ExactNumber {
  constructor(readonly digits: string) {}

  toJSON(): string {
    return this.digits;
  }
}

const NUMBER = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,6}))?$/;
const LONGEST_NUMBER = 1_000;
const MOST_DIGITS = 21;
const NAMED_NUMBERS: readonly unknown[] = ["NaN", "Infinity", "-Infinity"];
const BASE64 = /^(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)(={0,2})$/;
const FIELD_MASK_PATH = /^[!-+\--^`-~]+$/;
const LONE_SURROGATE = /\p{Surrogate}/u;

const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** The value of an absent field without presence. */
export function zero(type: Scalar): unknown {
  switch (type) {
    case "bool":
      return false;
    case "bytes":
      return new Uint8Array();
    case "int64":
    case "uint64":
      return 0n;
    case "string":
      return "";
    default:
      return 0;
  }
}

/** Whether a value is the one that an absent field without presence has. */
export function isZero(type: Scalar, value: unknown): boolean {
  return value instanceof Uint8Array ? value.length === 0 : Object.is(value, zero(type));
}

/**
 * Read a scalar from a JSON value.
 *
 * @throws InvalidValue when it is none.
 */
export function readScalar(type: Scalar, value: unknown): unknown {
  switch (type) {
    case "bool":
      return typeof value === "boolean" ? value : refuse("true or false", value);
    case "bytes":
      return readBytes(value);
    case "double":
      return readNumber(value, "a double");
    case "float":
      return readFloat(value);
    case "int64":
    case "uint64":
      return readInteger(type, value);
    case "int32":
    case "uint32":
      return Number(readInteger(type, value));
    case "string":
      return readString(value);
    case "timestamp":
      return readTimestamp(value);
    case "duration":
      return readDuration(value);
    case "fieldMask":
      return readFieldMask(value);
  }
}

/**
 * Write a scalar as a JSON value.
 *
 * @throws InvalidValue when it is no value of the type.
 */
export function writeScalar(type: Scalar, value: unknown): unknown {
  switch (type) {
    case "bytes":
      return value instanceof Uint8Array ? writeBytes(value) : refuse("a Uint8Array", value);
    case "double":
    case "float": {
      const number = typeof value === "number" ? value : refuse("a number", value);
      return Number.isFinite(number) ? readScalar(type, number) : String(number);
    }
    case "int64":
    case "uint64":
      return String(readInteger(type, typeof value === "bigint" ? String(value) : value));
    case "timestamp":
      return readTimestamp(value instanceof Date ? writeDate(value) : value);
    case "fieldMask":
      return Array.isArray(value) ? writeFieldMask(value) : refuse("an array of paths", value);
    default:
      return readScalar(type, value);
  }
}

/** Read the key of a map, which is text in JSON, into the one text for the same key. */
export function readKey(type: Scalar, key: string): string {
  if (type === "bool") {
    return key === "true" || key === "false" ? key : refuse('"true" or "false"', key);
  }
  return String(readScalar(type, key));
}

/** Read the number of an enum's value. */
export function readEnumNumber(value: unknown): number {
  return Number(readInteger("int32", value));
}

function readInteger(type: string, value: unknown): bigint {
  let digits = "";
  if (value instanceof ExactNumber) {
    digits = value.digits;
  } else if (typeof value === "string") {
    digits = value;
  } else if (Number.isSafeInteger(value)) {
    digits = String(value);
  }
  const number = integer(digits);
  const [low, high] = RANGES[type]!;
  const fits = number !== undefined && low <= number && number <= high;
  return fits ? number : refuse(`an ${type}`, value);
}

function integer(text: string): bigint | undefined {
  const match = text.length <= LONGEST_NUMBER ? NUMBER.exec(text) : null;
  if (!match) {
    return undefined;
  }
  const [, sign, whole, fraction = "", exponent = "0"] = match;
  const digits = (whole + fraction).replace(/^0+/, "");
  const shift = Number(exponent) - fraction.length;
  if (!digits) {
    return 0n;
  }
  // An exponent can stand for more digits than there is memory.
  if (digits.length + shift > MOST_DIGITS) {
    return undefined;
  }
  const kept = shift < 0 ? digits.slice(0, shift) : digits + "0".repeat(shift);
  const cut = shift < 0 ? digits.slice(shift) : "";
  return /[1-9]/.test(cut) ? undefined : BigInt(sign + (kept || "0"));
}

function readNumber(value: unknown, kind: string): number {
  let number = Number.NaN;
  if (typeof value === "string") {
    if (NAMED_NUMBERS.includes(value)) {
      return Number(value);
    }
    if (value.length <= LONGEST_NUMBER && NUMBER.test(value)) {
      number = Number(value);
    }
  } else if (value instanceof ExactNumber) {
    number = Number(value.digits);
  } else if (typeof value === "number") {
    number = value;
  }
  return Number.isFinite(number) ? number : refuse(kind, value);
}

/** A float, as the shortest number for the same 32 bits: 0.1 rather than 0.10000000149011612. */
function readFloat(value: unknown): number {
  const number = readNumber(value, "a float");
  if (!Number.isFinite(number)) {
    return number;
  }
  const single = Math.fround(number);
  if (!Number.isFinite(single)) {
    return refuse("a float", value);
  }
  // Six to nine significant digits tell all 32-bit floats apart.
  for (let digits = 6; digits < 9; digits++) {
    const shortest = Number(single.toPrecision(digits));
    if (Object.is(Math.fround(shortest), single)) {
      return shortest;
    }
  }
  return Number(single.toPrecision(9));
}

function readString(value: unknown): string {
  if (typeof value !== "string") {
    return refuse("a string", value);
  }
  return LONE_SURROGATE.test(value) ? refuse("Unicode text", "an unpaired surrogate") : value;
}

function readBytes(value: unknown): Uint8Array {
  const match = typeof value === "string" ? BASE64.exec(value) : null;
  if (typeof value !== "string" || !match) {
    return refuse("bytes in base64", value);
  }
  const padding = match[1]!.length;
  const digits = value.slice(0, value.length - padding);
  if (padding ? value.length % 4 !== 0 : digits.length % 4 === 1) {
    return refuse("bytes in base64", value);
  }
  const text = atob(digits.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (each) => each.charCodeAt(0));
}

function writeBytes(value: Uint8Array): string {
  let text = "";
  // Piece by piece, since a call takes only so many arguments.
  for (let at = 0; at < value.length; at += 8_192) {
    text += String.fromCharCode(...value.subarray(at, at + 8_192));
  }
  return btoa(text);
}

function readFieldMask(value: unknown): string[] {
  if (value === "") {
    return [];
  }
  const paths = typeof value === "string" ? value.split(",") : [""];
  return paths.every((path) => FIELD_MASK_PATH.test(path))
    ? paths
    : refuse("paths in lowerCamelCase with commas between them", value);
}

function writeFieldMask(paths: readonly unknown[]): string {
  const text = paths.join(",");
  return readFieldMask(text).length === paths.length ? text : refuse("paths without commas", text);
}
