/** Amounts and times as people write them. */
import { type Timestamp, toDate } from "shop-client";
import type { Money } from "shop-client/contract/v1/money";

/** Write an amount of money, such as €19.99. */
export function inMoney({ currencyCode, minorUnits }: Money): string {
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency: currencyCode });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  const text = (minorUnits < 0n ? -minorUnits : minorUnits).toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  const sign = minorUnits < 0n ? "-" : "";
  // As text, since numbers are not exact beyond 2^53.
  const decimal = `${sign}${whole}.${text.slice(text.length - digits) || "0"}` as `${number}`;
  return format.format(decimal);
}

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** Write a moment, such as 31 May 2024, 12:00. */
export function inTime(at: Timestamp): string {
  return MOMENT.format(toDate(at));
}

/** Write a number of things. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString()} ${count === 1 ? one : many}`;
}
