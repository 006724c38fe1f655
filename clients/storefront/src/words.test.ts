import assert from "node:assert/strict";
import test from "node:test";

import { counted, inMoney, inTime } from "./words.js";

for (const [currencyCode, minorUnits, words] of [
  ["EUR", 1_999n, "€19.99"],
  ["EUR", 5n, "€0.05"],
  ["EUR", -250n, "-€2.50"],
  ["JPY", 1_200n, "¥1,200"],
  // With three digits after the point.
  ["KWD", 1_500n, "KWD 1.500"],
  // Which no number holds exactly.
  ["EUR", 9_007_199_254_740_993_01n, "€9,007,199,254,740,993.01"],
] as const) {
  test(`${minorUnits} minor units of ${currencyCode} are ${words}`, () => {
    assert.equal(inMoney({ currencyCode, minorUnits }).replace("\u00a0", " "), words);
  });
}

test("one thing is not several", () => {
  assert.deepEqual(
    [counted(0, "item"), counted(1, "item"), counted(1_200, "item"), counted(2, "entry", "entries")],
    ["0 items", "1 item", "1,200 items", "2 entries"],
  );
});

test("a moment has its day, its year and its minute", () => {
  assert.match(inTime("2026-05-31T12:07:59.5Z"), /31.*2026.*:07/);
});
