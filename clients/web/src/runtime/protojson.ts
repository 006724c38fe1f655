/**
 * Messages in ProtoJSON, read and written by what the contract says of their fields.
 *
 * Reading is strict in what it knows and lenient in what it does not: members that a newer server has
 * are ignored and values of enums kept, never an error.
 *
 * Source: ProtoJSON, https://protobuf.dev/programming-guides/json.
 */
import { at, InvalidValue, refuse } from "./invalid.js";
import {
  ExactNumber,
  isZero,
  readEnumNumber,
  readKey,
  readScalar,
  type Scalar,
  writeScalar,
  zero,
} from "./scalars.js";

/** The values of an enum: numbers by name. */
export interface EnumType {
  readonly name: string;
  readonly numbers: Readonly<Record<string, number>>;
}

/** What a field is. */
export interface FieldType {
  /** The type of its single values. Messages come by a function, since they may hold themselves. */
  readonly type: Scalar | EnumType | (() => MessageType);
  /** Whether it can be absent, or has to be there, where others have a default. */
  readonly presence?: "optional" | "required";
  readonly repeated?: true;
  /** The type of the keys of a map. */
  readonly key?: Scalar;
  /** The member that holds the oneof that it is a case of. */
  readonly oneof?: string;
  /** Its name in the contract, where that does not follow from the one in JSON. */
  readonly protoName?: string;
}

/** A message of a contract, whose shape is `T`. */
export interface MessageType<T = unknown> {
  readonly name: string;
  /** The canonical code of a message that is an error. */
  readonly code?: string;
  /** Its fields by their names in JSON. */
  readonly fields: Readonly<Record<string, FieldType>>;
  /** Never there: it lets the type checker know the shape. */
  readonly shape?: T;
}

type Members = Record<string, unknown>;

const DEEPEST = 100;

/** `google.protobuf.Empty`: it has no members. */
export type Empty = Record<string, never>;

/** `google.protobuf.Empty`. */
export const emptyType: MessageType<Empty> = { name: "google.protobuf.Empty", fields: {} };

/** `google.protobuf.FieldMask` where it is a whole answer. */
export const fieldMaskType: MessageType<string[]> = {
  name: "google.protobuf.FieldMask",
  fields: {},
};

/**
 * Read a message from the text of a JSON document.
 *
 * @throws InvalidValue when it is no such message, SyntaxError when it is no JSON.
 */
export function parse<T>(type: MessageType<T>, text: string): T {
  return read(type, parseJson(text));
}

/**
 * Read a message from a JSON value.
 *
 * @throws InvalidValue when it is no such message.
 */
export function read<T>(type: MessageType<T>, value: unknown): T {
  return readMessage(type, value, 1) as T;
}

/**
 * Write a message as a JSON value. What has its default is left out, so that a server which does not
 * know a field yet is not told of it.
 *
 * @param defaults - whether to write what has its default all the same, as servers do.
 * @throws InvalidValue when a member is no value of its type.
 */
export function write(type: MessageType, message: unknown, defaults = false): unknown {
  if (type === fieldMaskType) {
    return writeScalar("fieldMask", message);
  }
  const given = isObject(message) ? message : refuse("an object", message);
  const written: Members = {};
  for (const [name, field] of Object.entries(type.fields)) {
    const value = field.oneof ? chosen(given[field.oneof], name) : given[name];
    if (value === undefined || value === null) {
      continue;
    }
    if (defaults || field.oneof || field.presence || !isDefault(field, value)) {
      written[name] = at(name, () => writeField(field, value, defaults));
    }
  }
  return written;
}

/** Parse JSON; digits that JavaScript would round are kept as they are, where the engine can. */
function parseJson(text: string): unknown {
  // Servers quote integers that are so long, so almost no document goes the slow way.
  const isSlow = /[0-9]{16}|[[:,]\s*-?[0-9.]+[eE]/.test(text);
  return isSlow ? JSON.parse(text, exactly) : JSON.parse(text);
}

/** Source: https://github.com/tc39/proposal-json-parse-with-source. */
function exactly(_: string, value: unknown, context?: { source?: string }): unknown {
  const isRounded = typeof value === "number" && !Number.isSafeInteger(value);
  return isRounded && context?.source ? new ExactNumber(context.source) : value;
}

function readMessage(type: MessageType, value: unknown, depth: number): unknown {
  if (type === fieldMaskType) {
    return readScalar("fieldMask", value);
  }
  const given = isObject(value) ? value : refuse("an object", value);
  if (depth > DEEPEST) {
    throw new InvalidValue(`expected at most ${DEEPEST} messages inside each other`);
  }
  const message: Members = {};
  for (const [key, item] of Object.entries(given)) {
    const name = nameOfField(type, key);
    if (name === undefined || item === null) {
      continue;
    }
    const field = type.fields[name]!;
    const member = field.oneof ?? name;
    if (Object.hasOwn(message, member)) {
      throw new InvalidValue("expected only one of its names and cases", key);
    }
    const found = at(key, () => readField(field, item, depth));
    message[member] = field.oneof ? { case: name, value: found } : found;
  }
  for (const [name, field] of Object.entries(type.fields)) {
    if (field.presence === "required" && !Object.hasOwn(message, name)) {
      throw new InvalidValue("it is missing", name);
    }
    if (!field.presence && !field.oneof && !Object.hasOwn(message, name)) {
      message[name] = defaultOf(field);
    }
  }
  return message;
}

/** The field that a name stands for: in lowerCamelCase, or as the contract writes it. */
function nameOfField({ fields }: MessageType, key: string): string | undefined {
  if (Object.hasOwn(fields, key)) {
    return key;
  }
  return Object.keys(fields).find((name) => {
    const { protoName } = fields[name]!;
    return protoName ? protoName === key : key.includes("_") && lowerCamel(key) === name;
  });
}

function lowerCamel(name: string): string {
  return name.replace(/_+(.)?/g, (_, next = "") => next.toUpperCase());
}

function readField(field: FieldType, value: unknown, depth: number): unknown {
  const { repeated, key } = field;
  if (repeated) {
    const items = Array.isArray(value) ? value : refuse("an array", value);
    return items.map((item, index) => at(`[${index}]`, () => readSingle(field, item, depth)));
  }
  if (key) {
    const entries = Object.entries(isObject(value) ? value : refuse("an object", value));
    // Defines members, so that none of them is taken for the prototype.
    return Object.fromEntries(
      entries.map(([name, item]) =>
        at(`[${name}]`, () => [readKey(key, name), readSingle(field, item, depth)]),
      ),
    );
  }
  return readSingle(field, value, depth);
}

function readSingle({ type }: FieldType, value: unknown, depth: number): unknown {
  if (typeof type === "string") {
    return readScalar(type, value);
  }
  return typeof type === "function" ? readMessage(type(), value, depth + 1) : readEnum(type, value);
}

/** The name of an enum's value; the digits of its number where the contract has no name for it. */
function readEnum(type: EnumType, value: unknown): string {
  if (typeof value === "string" && Object.hasOwn(type.numbers, value)) {
    return nameOfNumber(type, type.numbers[value]!) ?? value;
  }
  // A newer server has names that are not known here.
  if (typeof value === "string" && /^[A-Za-z_]\w*$/.test(value)) {
    return value;
  }
  const number = readEnumNumber(value);
  return nameOfNumber(type, number) ?? String(number);
}

function nameOfNumber({ numbers }: EnumType, number: number): string | undefined {
  return Object.keys(numbers).find((name) => numbers[name] === number);
}

function writeField(field: FieldType, value: unknown, defaults: boolean): unknown {
  if (field.repeated) {
    const items = Array.isArray(value) ? value : refuse("an array", value);
    return items.map((item, index) => at(`[${index}]`, () => writeSingle(field, item, defaults)));
  }
  if (field.key) {
    const entries = Object.entries(isObject(value) ? value : refuse("an object", value));
    return Object.fromEntries(
      entries.map(([name, item]) =>
        at(`[${name}]`, () => [name, writeSingle(field, item, defaults)]),
      ),
    );
  }
  return writeSingle(field, value, defaults);
}

function writeSingle({ type }: FieldType, value: unknown, defaults: boolean): unknown {
  if (typeof type === "string") {
    return writeScalar(type, value);
  }
  if (typeof type === "function") {
    return write(type(), value, defaults);
  }
  const name = typeof value === "string" ? value : refuse(`a name of ${type.name}`, value);
  return /^-?[0-9]/.test(name) ? readEnumNumber(name) : name;
}

function chosen(oneof: unknown, name: string): unknown {
  const choice = oneof as { case: string; value: unknown } | null | undefined;
  return choice?.case === name ? choice.value : undefined;
}

function defaultOf({ type, repeated, key }: FieldType): unknown {
  if (repeated) {
    return [];
  }
  if (key) {
    return {};
  }
  if (typeof type === "string") {
    return zero(type);
  }
  return typeof type === "function" ? undefined : nameOfNumber(type, 0);
}

function isDefault(field: FieldType, value: unknown): boolean {
  if (field.repeated || field.key) {
    return Object.keys(value as object).length === 0;
  }
  return typeof field.type === "string"
    ? isZero(field.type, value)
    : value === defaultOf(field) || value === "0";
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !isOpaque(value);
}

function isOpaque(value: object): boolean {
  return Array.isArray(value) || value instanceof ExactNumber || value instanceof Date;
}
