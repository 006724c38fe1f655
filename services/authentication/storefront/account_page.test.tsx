import assert from "node:assert/strict";
import test from "node:test";

import type { Tokens, User } from "shop-client/authentication/v1/api";
import { type Fragment, shop, visit } from "storefront";
import { absent, away, fails, fill, press, refusal, screen, show, signIn, testAsking, when, whereabouts, within } from "storefront/testing";

import { authentication as fragment } from "./fragment.js";

const { getUser, changePassword, deleteUser } = shop.authentication;

const TOKENS: Tokens = { accessToken: "a", refreshToken: "r", tokenType: "Bearer", expiresIn: 900 };
const ANN: User = { userId: "1", email: "ann@example.org", roles: [], registeredAt: "2026-05-31T12:00:00Z" };

/** Stands where the orders do. */
const others: Fragment = { what: "The orders", parts: { account: () => <p>What Ann has ordered</p> } };

async function shows(): Promise<void> {
  await signIn();
  await show("/account", fragment, others);
}

/** The page of an account that is there. */
async function showsAnn(changed: Partial<User> = {}): Promise<void> {
  when(getUser, async () => ({ ...ANN, ...changed }));
  await shows();
  await screen.findByText(ANN.email);
}

testAsking({ asks: getUser, answer: ANN, sees: ANN.email, what: "The accounts", shows });

test("who is not signed in is led to signing in, and back", async () => {
  await show("/account", fragment);
  const [link] = screen.getAllByRole("link", { name: "Sign in" }).slice(-1);
  assert.equal(link?.getAttribute("href"), "#/sign-in?next=%2Faccount");
});

test("an account shows who it is of, and what other services have of it", async () => {
  await showsAnn();
  screen.getByText("What Ann has ordered");
  absent(screen.queryByText("Trusted as"));
});

test("who is trusted sees with what", async () => {
  await showsAnn({ roles: ["agent", "stock"] });
  screen.getByText("agent, stock");
});

test("a password is changed", async () => {
  await showsAnn();
  fill("Current password", "correct horse");
  fill("New password", "battery staple");
  const requests = when(changePassword, async () => TOKENS);
  await press("Change the password");
  await screen.findByText("Your password is changed. Other devices are signed out.");
  assert.deepEqual(requests, [{ currentPassword: "correct horse", newPassword: "battery staple" }]);
  const field = screen.getByLabelText("New password");
  assert.ok(field instanceof HTMLInputElement);
  assert.equal(field.value, "");
});

test("a wrong password changes nothing, and says which one is wrong", async () => {
  await showsAnn();
  fill("Current password", "wrong horse");
  fill("New password", "battery staple");
  when(changePassword, fails(refusal(changePassword, { name: "InvalidCredentials", fields: {} })));
  await press("Change the password");
  await screen.findByText("The current password is wrong.");
});

test("who signs out is nobody any more, and has no cart", async () => {
  await showsAnn();
  visit.cartId.set("c");
  await press("Sign out");
  assert.equal(visit.signedIn.value, false);
  assert.equal(visit.account.value, null);
  assert.equal(visit.cartId.value, null);
  assert.equal(whereabouts(), "/");
  await screen.findByText("You are signed out.", { selector: "[role=status]" });
});

test("an account is deleted only when it is asked for twice", async () => {
  await showsAnn();
  const requests = when(deleteUser, async () => ({}));
  await press("Delete the account …");
  const dialog = within(screen.getByRole("dialog", { name: "Delete your account for good?" }));
  dialog.getByRole("button", { name: "Keep it" }).click();
  absent(screen.queryByRole("dialog"));
  assert.equal(requests.length, 0);
  await press("Delete the account …");
  await press("Delete it");
  assert.equal(requests.length, 1);
  assert.equal(visit.signedIn.value, false);
  assert.equal(whereabouts(), "/");
});

test("an account that cannot be deleted now is still there", async () => {
  await showsAnn();
  when(deleteUser, fails(away()));
  await press("Delete the account …");
  await press("Delete it");
  await screen.findByText("The accounts cannot be reached right now. The rest of the shop works.");
  assert.equal(visit.signedIn.value, true);
});
