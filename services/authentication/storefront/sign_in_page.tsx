/** Signs in. What was put into the cart before becomes one's own. */
import type { JSX } from "preact";
import { announce, PageTitle, type PageProps, shop, textOf, to, useSubmission } from "storefront";

import { CredentialsForm, goOn, refusal } from "./credentials.js";

export function SignInPage({ query }: PageProps): JSX.Element {
  const next = query.get("next");
  const submission = useSubmission(
    "The accounts",
    async (form) => {
      const [email, password] = [textOf(form, "email"), textOf(form, "password")];
      await shop.authentication.authenticate({ email, password });
      announce("You are signed in.");
      goOn(next);
    },
    refusal,
  );
  return (
    <div class="narrow">
      <PageTitle>Sign in</PageTitle>
      <CredentialsForm submission={submission} action="Sign in" />
      <p>
        New here? <a href={to("/register", next ? { next } : {})}>Open an account</a>
      </p>
    </div>
  );
}
