import test from "node:test";

import { absent, screen, show, signIn, stopClock } from "../testing/public.js";
import { visit } from "../visit.js";
import { desk } from "./fragment.js";

const part = { what: "A part", parts: { desk: () => <p>What is to be seen to</p> } };
const PART = "What is to be seen to";

test("who is not signed in is asked to", async () => {
  await show("/desk", desk, part);
  await screen.findByText("The desk is for the shop's people. Are you one of them?");
  absent(screen.queryByText(PART));
  absent(screen.queryByRole("link", { name: "Desk" }));
});

test("a customer is told so, and finds no way there", async () => {
  await signIn();
  visit.account.set({ email: "ann@example.com", roles: [] });
  await show("/desk", desk, part);
  await screen.findByText("The desk is for the shop's people, and ann@example.com is not among them.");
  absent(screen.queryByText(PART));
  absent(screen.queryByRole("link", { name: "Desk" }));
});

test("the shop's people find what services have for them", async () => {
  await signIn();
  visit.account.set({ email: "bob@example.com", roles: ["staff"] });
  await show("/desk", desk, part);
  await screen.findByText(PART);
  screen.getByRole("link", { name: "Desk" });
  screen.getByRole("heading", { name: "Dead letters" });
});

test("while nobody can say who somebody is, the services decide by themselves", async () => {
  const pass = stopClock();
  await signIn();
  await show("/desk", desk, part);
  absent(screen.queryByText(PART));
  await pass(3_000);
  screen.getByText(PART);
});
