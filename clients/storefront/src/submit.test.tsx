import assert from "node:assert/strict";
import test from "node:test";

import { ApiError, type Code } from "shop-client";

import { Field } from "./controls.js";
import { textOf, useSubmission } from "./submit.js";
import { absent, fill, press, screen, settled, show } from "./testing/public.js";

/** A form with one field, which is sent as a test says. */
async function showForm(send: (text: string) => Promise<void>): Promise<void> {
  function Form() {
    const { busy, problem, problems, onSubmit } = useSubmission(
      "The post",
      (form) => send(textOf(form, "text")),
      (thrown) => (thrown instanceof RangeError ? "It is too long." : undefined),
    );
    return (
      <form onSubmit={onSubmit}>
        <Field label="Text" name="text" problem={problems["text"]} />
        {problem && <p role="alert">{problem}</p>}
        <button type="submit">{busy ? "Sending" : "Send"}</button>
      </form>
    );
  }
  await show("/", { what: "The post", pages: [{ path: "/", page: Form }] });
  fill("Text", "hello");
}

test("what was typed is sent once, and the form is ready again afterwards", async () => {
  const sent: string[] = [];
  let arrive = (): void => undefined;
  await showForm((text) => {
    sent.push(text);
    return new Promise((resolve) => (arrive = resolve));
  });
  await press("Send");
  await press("Sending");
  assert.deepEqual(sent, ["hello"]);
  arrive();
  await settled();
  await press("Send");
  assert.deepEqual(sent, ["hello", "hello"]);
});

test("a problem is gone when the form is sent again", async () => {
  const answers = [() => Promise.reject(new RangeError()), () => Promise.resolve()];
  await showForm(() => answers.shift()?.() ?? assert.fail("sent too often"));
  await press("Send");
  assert.equal(screen.getByRole("alert").textContent, "It is too long.");
  await press("Send");
  absent(screen.queryByRole("alert"));
});

for (const [code, words] of [
  ["UNAVAILABLE", "The post cannot be reached right now. The rest of the shop works."],
  ["DEADLINE_EXCEEDED", "The post did not answer in time. The rest of the shop works."],
  ["RESOURCE_EXHAUSTED", "Too much is being asked of the shop right now. Please try again in a moment."],
  ["UNAUTHENTICATED", "Your session has ended. Please sign in again."],
  ["INTERNAL", "what the shop says"],
] satisfies [Code, string][]) {
  test(`what failed with ${code} says: ${words}`, async () => {
    await showForm(() => Promise.reject(new ApiError(code, "what the shop says")));
    await press("Send");
    assert.equal(screen.getByRole("alert").textContent, words);
  });
}

test("a defect of the page is told as one", async () => {
  await showForm(() => Promise.reject(new TypeError("x is not a function")));
  await press("Send");
  assert.equal(screen.getByRole("alert").textContent, "Something went wrong here. x is not a function");
});

test("what is wrong with a field is said beside it, where screen readers find it", async () => {
  const fieldProblems = [{ field: "text", detail: "has to be longer" }];
  await showForm(() => Promise.reject(new ApiError("INVALID_ARGUMENT", "refused", { fieldProblems })));
  await press("Send");
  const field = screen.getByLabelText("Text");
  assert.equal(field.getAttribute("aria-invalid"), "true");
  const described = document.getElementById(field.getAttribute("aria-describedby") ?? "");
  assert.equal(described?.textContent, "has to be longer");
});
