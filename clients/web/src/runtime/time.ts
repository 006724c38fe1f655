/**
 * Instants and spans of time. Contracts count nanoseconds, which `Date` does not have, so both are
 * texts as JSON has them: nothing is lost unless it is asked for here.
 *
 * Sources: RFC 3339, https://www.rfc-editor.org/rfc/rfc3339, and ProtoJSON.
 */
import { refuse } from "./invalid.js";

/** An instant in UTC as RFC 3339 text, such as `2024-05-31T12:00:00.000000001Z`. */
export type Timestamp = string;

/** A span of time in seconds, such as `1.500s` or `-0.000000001s`. */
export type Duration = string;

const INSTANT =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/;
const FIRST_INSTANT = -62_135_596_800_000;
const LAST_INSTANT = 253_402_300_799_000;
const DURATION = /^(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s$/;
const LONGEST_DURATION = 315_576_000_000;

/** The instant as a `Date`; what is finer than a millisecond is cut off. */
export function toDate(timestamp: Timestamp): Date {
  return new Date(timestamp.replace(/(\.\d{3})\d+/, "$1"));
}

/** Which of two instants is earlier, to the nanosecond; for `Array.prototype.sort`. */
export function compareTimestamps(one: Timestamp, other: Timestamp): number {
  const [a, b] = [inFull(one), inFull(other)];
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The span in milliseconds, with a fraction. */
export function toMilliseconds(duration: Duration): number {
  return Number(`${duration.slice(0, -1)}e3`);
}

/** A span of so many milliseconds. */
export function fromMilliseconds(milliseconds: number): Duration {
  return readDuration(`${(milliseconds / 1_000).toFixed(9)}s`);
}

/**
 * Read an instant: in UTC, with 0, 3, 6 or 9 digits after the point.
 *
 * @throws InvalidValue when it is none, or outside of the years 1 to 9999.
 */
export function readTimestamp(value: unknown): Timestamp {
  const expected = "an RFC 3339 date and time such as 2024-05-31T12:00:00Z";
  const match = typeof value === "string" ? INSTANT.exec(value) : null;
  if (!match) {
    return refuse(expected, value);
  }
  const [year = 0, month = 0, day = 0, hour, minute, second] = match.slice(1, 7).map(Number);
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, day);
  at.setUTCHours(hour!, minute, second);
  // A day or an hour that there is not has become another one.
  if (at.toISOString().slice(0, 19) !== match[0].slice(0, 19)) {
    return refuse(expected, value);
  }
  if (match[8]) {
    const offset = (Number(match[9]) * 60 + Number(match[10])) * 60_000;
    at.setTime(at.getTime() + (match[8] === "+" ? -offset : offset));
  }
  if (at.getTime() < FIRST_INSTANT || at.getTime() > LAST_INSTANT) {
    return refuse(expected, value);
  }
  return `${at.toISOString().slice(0, 19)}${fraction(match[7])}Z`;
}

/** Write a `Date` as RFC 3339 text. */
export function writeDate(value: Date): Timestamp {
  return Number.isNaN(value.getTime()) ? refuse("a valid Date", value) : value.toISOString();
}

/**
 * Read a span of time, with 0, 3, 6 or 9 digits after the point.
 *
 * @throws InvalidValue when it is none, or longer than 10,000 years.
 */
export function readDuration(value: unknown): Duration {
  const match = typeof value === "string" ? DURATION.exec(value) : null;
  const seconds = Number(match?.[2]);
  const digits = fraction(match?.[3]);
  if (!match || seconds > LONGEST_DURATION) {
    return refuse('a duration such as "1.5s"', value);
  }
  return `${seconds || digits ? match[1] : ""}${seconds}${digits}s`;
}

/** The part after the point, in groups of three digits: empty when there is none. */
function fraction(digits = ""): string {
  const groups = digits.padEnd(9, "0").replace(/(?:000)+$/, "");
  return groups && `.${groups}`;
}

/** With all nine digits, so that texts compare as instants do. */
function inFull(timestamp: Timestamp): string {
  const [clock = "", digits = ""] = timestamp.slice(0, -1).split(".");
  return `${clock}.${digits.padEnd(9, "0")}`;
}
