import assert from "node:assert/strict";
import { test } from "node:test";

import { compareTimestamps, fromMilliseconds, toDate, toMilliseconds } from "shop-client";

test("a date has the milliseconds of an instant", () => {
  assert.equal(toDate("2024-05-31T12:00:00.123456789Z").toISOString(), "2024-05-31T12:00:00.123Z");
  assert.equal(toDate("2024-05-31T12:00:00Z").toISOString(), "2024-05-31T12:00:00.000Z");
});

test("instants are in order to the nanosecond, however many digits they have", () => {
  const inOrder = [
    "2024-05-31T11:59:59.999999999Z",
    "2024-05-31T12:00:00Z",
    "2024-05-31T12:00:00.000000001Z",
    "2024-05-31T12:00:00.500Z",
    "2024-05-31T12:00:01Z",
  ];
  assert.deepEqual([...inOrder].reverse().sort(compareTimestamps), inOrder);
  assert.equal(compareTimestamps("2024-05-31T12:00:00Z", "2024-05-31T12:00:00Z"), 0);
});

test("spans are milliseconds, and back", () => {
  assert.equal(toMilliseconds("1.500s"), 1_500);
  assert.equal(toMilliseconds("-0.000000001s"), -0.000_001);
  assert.equal(fromMilliseconds(1_500), "1.500s");
  assert.equal(fromMilliseconds(-0.25), "-0.000250s");
  assert.equal(fromMilliseconds(0), "0s");
});
