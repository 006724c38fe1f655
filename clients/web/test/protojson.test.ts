/** What the table of ProtoJSON cases does not show: what users see of values, and what they send. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { type EnumType, type MessageType, parse, write } from "shop-client/runtime/protojson";

const genreType: EnumType = { name: "a.Genre", numbers: { GENRE_UNKNOWN: 0, GENRE_FICTION: 1 } };

const bookType: MessageType<Record<string, unknown>> = {
  name: "a.Book",
  fields: {
    isbn: { type: "string" },
    genre: { type: genreType },
    copies: { type: "int64" },
    rating: { type: "float" },
    printed: { type: "timestamp", presence: "optional" },
    cover: { type: "bytes" },
    shown: { type: "fieldMask", presence: "optional" },
    parts: { type: () => bookType, repeated: true },
    stock: { type: "int32", key: "string" },
    email: { type: "string", oneof: "contact" },
    person: { type: () => bookType, oneof: "contact" },
  },
};

test("an answer has every member that is always there", () => {
  assert.deepEqual(parse(bookType, "{}"), {
    isbn: "",
    genre: "GENRE_UNKNOWN",
    copies: 0n,
    rating: 0,
    cover: new Uint8Array(),
    parts: [],
    stock: {},
  });
});

test("values are those of the language", () => {
  const book = parse(
    bookType,
    `{"copies": "9223372036854775807", "rating": 0.1, "printed": "2024-05-31T14:00:00.000000001+02:00",
      "cover": "aGk", "shown": "isbn,parts.genre", "email": ""}`,
  );
  assert.equal(book["copies"], 9_223_372_036_854_775_807n);
  assert.equal(book["rating"], 0.1);
  assert.equal(book["printed"], "2024-05-31T12:00:00.000000001Z");
  assert.deepEqual(book["cover"], new Uint8Array([104, 105]));
  assert.deepEqual(book["shown"], ["isbn", "parts.genre"]);
  assert.deepEqual(book["contact"], { case: "email", value: "" });
});

test("what a newer server knows is ignored or kept, and sent as it came", () => {
  const book = parse(bookType, '{"later": [1], "genre": 7, "parts": [{"genre": "GENRE_POETRY"}]}');
  assert.equal(book["genre"], "7");
  assert.deepEqual(write(bookType, book), { genre: 7, parts: [{ genre: "GENRE_POETRY" }] });
});

test("a request leaves out what has its default, but not what was chosen", () => {
  const request = {
    isbn: "",
    genre: "GENRE_UNKNOWN",
    copies: 0n,
    rating: 0,
    cover: new Uint8Array(),
    parts: [],
    stock: {},
    contact: { case: "email", value: "" },
    printed: undefined,
  };
  assert.deepEqual(write(bookType, request), { email: "" });
});

test("a request takes dates, and writes what JSON has no number for", () => {
  const request = {
    printed: new Date("2024-05-31T12:00:00.5Z"),
    rating: Number.NEGATIVE_INFINITY,
    copies: -5n,
    cover: new Uint8Array(100_000).fill(255),
    shown: ["isbn", "genre"],
  };
  assert.deepEqual(write(bookType, request), {
    printed: "2024-05-31T12:00:00.500Z",
    rating: "-Infinity",
    copies: "-5",
    cover: Buffer.alloc(100_000, 255).toString("base64"),
    shown: "isbn,genre",
  });
});

for (const [what, request, path] of [
  ["a number that is none", { parts: [{ copies: 1.5 }] }, "parts[0].copies"],
  ["an invalid date", { printed: new Date(Number.NaN) }, "printed"],
  ["half of a surrogate pair", { isbn: "\ud800" }, "isbn"],
  ["a path with a comma", { shown: ["a,b"] }, "shown"],
  ["text for a number", { stock: { x: "many" } }, "stock[x]"],
  ["a list for a message", { contact: { case: "person", value: [] } }, "person"],
] as const) {
  test(`a request cannot have ${what}`, () => {
    assert.throws(() => write(bookType, request), { name: "InvalidValue", path });
  });
}

test("a refusal says where", () => {
  const deep = '{"parts": [{}, {"person": {"stock": {"a": true}}}]}';
  assert.throws(() => parse(bookType, deep), {
    message: "parts[1].person.stock[a]: expected an int32, got true",
  });
});
