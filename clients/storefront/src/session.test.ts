import assert from "node:assert/strict";
import test from "node:test";

import { tokens } from "./session.js";
import { settled, signIn } from "./testing/public.js";
import { visit } from "./visit.js";

test("a visit hears when a session begins and ends", async () => {
  await signIn();
  assert.equal(visit.signedIn.value, true);
  await tokens.save(null);
  assert.equal(visit.signedIn.value, false);
});

test("a session that begins or ends in another page does so in this one", async () => {
  localStorage.setItem("session", "{}");
  dispatchEvent(new StorageEvent("storage", { key: "session" }));
  await settled();
  assert.equal(visit.signedIn.value, true);
  localStorage.removeItem("session");
  dispatchEvent(new StorageEvent("storage", { key: "session" }));
  assert.equal(visit.signedIn.value, false);
});

test("who signs out is not known any more", async () => {
  await signIn();
  visit.account.set({ email: "ann@example.org", roles: ["agent"] });
  await tokens.save(null);
  assert.equal(visit.account.value, null);
});
