import assert from "node:assert/strict";
import test from "node:test";

import { ApiError } from "shop-client";
import type { AuthenticateError, Tokens } from "shop-client/authentication/v1/api";
import { shop, visit } from "storefront";
import { absent, away, fails, fill, never, press, refusal, screen, show, showPart, signIn, when, whereabouts } from "storefront/testing";

import { authentication as fragment } from "./fragment.js";

const { authenticate, registerUser, getUser } = shop.authentication;

const TOKENS: Tokens = { accessToken: "a", refreshToken: "r", tokenType: "Bearer", expiresIn: 900 };
const ANN = { email: "ann@example.org", password: "correct horse" };

function type(): void {
  fill("E-mail address", ANN.email);
  fill("Password", ANN.password);
}

function typed(label: string): string {
  const field = screen.getByLabelText(label);
  assert.ok(field instanceof HTMLInputElement);
  return field.value;
}

for (const [address, where] of [
  ["/sign-in", "/"],
  ["/sign-in?next=%2Fcheckout", "/checkout"],
  ["/sign-in?next=https%3A%2F%2Fevil.example", "/"],
] as const) {
  test(`whoever signs in at ${address} goes on at ${where}`, async () => {
    await show(address, fragment);
    type();
    const requests = when(authenticate, async () => TOKENS);
    await press("Sign in");
    assert.deepEqual(requests, [ANN]);
    assert.equal(whereabouts(), where);
    await screen.findByText("You are signed in.", { selector: "[role=status]" });
  });
}

for (const [error, words] of [
  [{ name: "InvalidCredentials", fields: {} }, "The e-mail address or the password is wrong."],
  [
    { name: "TooManyAttempts", fields: { retryAfterSeconds: 30 } },
    "Too many attempts. Please try again in 30 seconds.",
  ],
] satisfies [AuthenticateError, string][]) {
  test(`signing in refused with ${error.name} is told, and nothing typed is lost`, async () => {
    await show("/sign-in", fragment);
    type();
    when(authenticate, fails(refused(error)));
    await press("Sign in");
    await screen.findByText(words);
    assert.equal(screen.getByRole("alert").textContent, words);
    assert.deepEqual({ email: typed("E-mail address"), password: typed("Password") }, ANN);
    assert.equal(whereabouts(), "/sign-in");
  });
}

function refused(error: AuthenticateError): ApiError {
  return refusal(authenticate, error);
}

test("fields that are refused say why beside them", async () => {
  await show("/register", fragment);
  type();
  const fieldProblems = [{ field: "email", detail: "is no e-mail address" }];
  when(registerUser, fails(new ApiError("INVALID_ARGUMENT", "the request is wrong", { fieldProblems })));
  await press("Open an account");
  await screen.findByText("is no e-mail address");
  const field = screen.getByLabelText("E-mail address");
  assert.equal(field.getAttribute("aria-invalid"), "true");
  const described = field.getAttribute("aria-describedby") ?? "";
  assert.equal(document.getElementById(described)?.textContent, "is no e-mail address");
});

test("signing in while the accounts are away says so, and works when they are back", async () => {
  await show("/sign-in", fragment);
  type();
  when(authenticate, fails(away()));
  await press("Sign in");
  await screen.findByText("The accounts cannot be reached right now. The rest of the shop works.");
  when(authenticate, async () => TOKENS);
  await press("Sign in");
  assert.equal(whereabouts(), "/");
});

test("signing in is asked for once while it is under way", async () => {
  await show("/sign-in", fragment);
  type();
  const requests = when(authenticate, never);
  await press("Sign in");
  await press("One moment …");
  assert.equal(requests.length, 1);
});

test("an account is opened, and signed in with", async () => {
  await show("/register?next=%2Fcheckout", fragment);
  type();
  const opened = when(registerUser, async ({ email }) => ({ email }));
  when(authenticate, async () => TOKENS);
  await press("Open an account");
  assert.deepEqual(opened, [ANN]);
  assert.equal(whereabouts(), "/checkout");
});

test("an address that has an account already, with another password, is told", async () => {
  await show("/register", fragment);
  type();
  when(registerUser, async ({ email }) => ({ email }));
  when(authenticate, fails(refused({ name: "InvalidCredentials", fields: {} })));
  await press("Open an account");
  await screen.findByText(/There is an account with this address already/);
});

test("the header leads to signing in, and to the account of who has", async () => {
  await showPart("header", {}, fragment);
  assert.equal(screen.getAllByRole("link", { name: "Sign in" })[0]?.getAttribute("href"), "#/sign-in");
  when(getUser, async () => ({
    userId: "1",
    email: ANN.email,
    roles: ["desk"],
    registeredAt: "2026-05-31T12:00:00Z",
  }));
  await signIn();
  const [link] = await screen.findAllByRole("link", { name: "Account" });
  assert.equal(link?.getAttribute("href"), "#/account");
  assert.deepEqual(visit.account.value?.roles, ["desk"]);
});

test("the header does without the account while that cannot be had", async () => {
  when(getUser, fails(away()));
  await signIn();
  await showPart("header", {}, fragment);
  await screen.findAllByRole("link", { name: "Account" });
  absent(screen.queryByRole("alert"));
  assert.equal(visit.account.value, null);
});
