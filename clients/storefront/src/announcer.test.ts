import assert from "node:assert/strict";
import test from "node:test";

import { announce, said } from "./announcer.js";
import { stopClock } from "./testing/public.js";

test("the same words said twice are news twice", async () => {
  const pass = stopClock();
  const heard: string[] = [];
  const end = said.observe((text) => heard.push(text));
  announce("One more.");
  await pass(100);
  announce("One more.");
  await pass(100);
  end();
  assert.deepEqual(heard.filter(Boolean), ["One more.", "One more."]);
});
