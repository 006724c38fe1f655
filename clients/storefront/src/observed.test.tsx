import assert from "node:assert/strict";
import test from "node:test";

import { kept, Observed, useObserved } from "./observed.js";
import { screen, settled, show } from "./testing/public.js";

test("whoever observes hears of what is new, and of nothing that is not", () => {
  const observed = new Observed(1);
  const heard: number[] = [];
  const end = observed.observe((value) => heard.push(value));
  observed.set(1);
  observed.set(2);
  end();
  observed.set(3);
  assert.deepEqual(heard, [2]);
  assert.equal(observed.value, 3);
});

test("who stops to listen while others are told keeps nobody from hearing", () => {
  const observed = new Observed(1);
  const heard: string[] = [];
  const end = observed.observe(() => {
    heard.push("first");
    end();
  });
  observed.observe(() => heard.push("second"));
  observed.set(2);
  observed.set(3);
  assert.deepEqual(heard, ["first", "second", "second"]);
});

test("what is kept outlives the page, and is gone when it is nothing", () => {
  const value = kept("a test's");
  value.set("here");
  assert.equal(localStorage.getItem("a test's"), "here");
  assert.equal(kept("a test's").value, "here");
  value.set(null);
  assert.equal(localStorage.getItem("a test's"), null);
});

test("what another page keeps is heard, and what it keeps beside that is not", () => {
  const value = kept("a test's");
  dispatchEvent(new StorageEvent("storage", { key: "another", newValue: "no" }));
  assert.equal(value.value, null);
  dispatchEvent(new StorageEvent("storage", { key: "a test's", newValue: "yes" }));
  assert.equal(value.value, "yes");
});

test("a component shows what it observes, as soon as it changes", async () => {
  const observed = new Observed("before");
  const Shown = () => <p>{useObserved(observed)}</p>;
  await show("/", { what: "A part", pages: [{ path: "/", page: Shown }] });
  screen.getByText("before");
  observed.set("after");
  await settled();
  screen.getByText("after");
});
