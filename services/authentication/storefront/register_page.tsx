/** Opens an account, and signs in with it. */
import type { JSX } from "preact";
import { announce, PageTitle, type PageProps, shop, textOf, to, useSubmission } from "storefront";

import { CredentialsForm, goOn, refusal } from "./credentials.js";

const { authentication } = shop;

export function RegisterPage({ query }: PageProps): JSX.Element {
  const next = query.get("next");
  const submission = useSubmission(
    "The accounts",
    async (form) => {
      const who = { email: textOf(form, "email"), password: textOf(form, "password") };
      await authentication.registerUser(who);
      await authentication.authenticate(who);
      announce("Your account is open, and you are signed in.");
      goOn(next);
    },
    (thrown) => {
      const taken = authentication.authenticate.refused(thrown) && thrown.error.name;
      return taken === "InvalidCredentials"
        ? "There is an account with this address already, with another password. Sign in instead."
        : refusal(thrown);
    },
  );
  return (
    <div class="narrow">
      <PageTitle>Open an account</PageTitle>
      <CredentialsForm submission={submission} action="Open an account" fresh />
      <p>
        You have one? <a href={to("/sign-in", next ? { next } : {})}>Sign in</a>
      </p>
    </div>
  );
}
