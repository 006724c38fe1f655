import assert from "node:assert/strict";
import { test } from "node:test";

import { EventParser } from "shop-client/runtime/event_parser";

const TEXT =
  ": hello\nretry: 2000\n\nid: 1\ndata: {\"a\":\ndata:  1}\n\nevent: end\r\ndata\r\n\r\nid\ndata: x\r\r" +
  "event: none\n\ndata: last\n\nid: 2\ndata: not whole";

const EVENTS = [
  { type: "message", data: '{"a":\n 1}', id: "1" },
  { type: "end", data: "", id: "1" },
  { type: "message", data: "x", id: "" },
  { type: "message", data: "last", id: "" },
];

test("events are those of the specification", () => {
  const parser = new EventParser();
  assert.deepEqual([...parser.feed(TEXT)], EVENTS);
  assert.equal(parser.retryMs, 2_000);
});

test("events are the same wherever the text is cut", () => {
  for (let size = 1; size < TEXT.length; size++) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < TEXT.length; at += size) {
      events.push(...parser.feed(TEXT.slice(at, at + size)));
    }
    assert.deepEqual(events, EVENTS, `in pieces of ${size}`);
  }
});
