/** What forms of accounts have in common. */
import type { JSX } from "preact";
import { Field, go, Notice, shop, type Submission, to } from "storefront";

const { authentication } = shop;

/** The fewest and the most characters of a password, as the contract has them. */
export const PASSWORD = { minLength: 8, maxLength: 128 };

/** Say why an account was refused; undefined for what else went wrong. */
export function refusal(thrown: unknown): string | undefined {
  if (!authentication.changePassword.refused(thrown) && !authentication.authenticate.refused(thrown)) {
    return undefined;
  }
  const { error } = thrown;
  switch (error.name) {
    case "InvalidCredentials":
      return "The e-mail address or the password is wrong.";
    case "TooManyAttempts":
      return `Too many attempts. Please try again in ${error.fields.retryAfterSeconds} seconds.`;
    case "UserNotFound":
      return "This account does not exist any more.";
    default:
      return undefined;
  }
}

/** Go where somebody wanted to before they had to sign in. */
export function goOn(next: string | null): void {
  // Nothing but a place of the shop: it comes from an address, which anybody may have made.
  go(to(next?.startsWith("/") ? next : "/"), { replace: true });
}

interface CredentialsFormProps {
  readonly submission: Submission;
  /** What the button says. */
  readonly action: string;
  /** Whether the password is one to be thought up. */
  readonly fresh?: boolean;
}

/** The form of an e-mail address and a password. */
export function CredentialsForm({ submission, action, fresh = false }: CredentialsFormProps): JSX.Element {
  const { busy, problem, problems, onSubmit } = submission;
  return (
    <form class="form" onSubmit={onSubmit}>
      <Field
        label="E-mail address"
        name="email"
        type="email"
        autocomplete="email"
        maxLength={254}
        problem={problems["email"]}
      />
      <Field
        label="Password"
        name="password"
        type="password"
        autocomplete={fresh ? "new-password" : "current-password"}
        {...PASSWORD}
        {...(fresh && { hint: "8 characters or more, of any kind." })}
        problem={problems["password"]}
      />
      {problem && (
        <Notice kind="problem">
          <p>{problem}</p>
        </Notice>
      )}
      <button class="button primary" type="submit" aria-disabled={busy}>
        {busy ? "One moment …" : action}
      </button>
    </form>
  );
}
