/** An account: who it is of, its password, and its end. */
import type { User } from "shop-client/authentication/v1/api";
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import {
  Answered,
  announce,
  Field,
  go,
  inTime,
  Notice,
  PageTitle,
  shop,
  SignInFirst,
  SkeletonLines,
  Slot,
  textOf,
  to,
  useAnswer,
  useObserved,
  useSubmission,
  visit,
} from "storefront";

import { PASSWORD, refusal } from "./credentials.js";

const { authentication, session } = shop;

export function AccountPage(): JSX.Element {
  const signedIn = useObserved(visit.signedIn);
  return (
    <div class="narrow">
      <PageTitle>Your account</PageTitle>
      {signedIn ? <Account /> : <SignInFirst why="You are not signed in." />}
    </div>
  );
}

function Account(): JSX.Element {
  const asked = useAnswer((options) => authentication.getUser({}, options), []);
  return (
    <Answered of={asked} what="The accounts" waiting={<SkeletonLines count={4} />}>
      {(user) => (
        <>
          <About user={user} />
          <Slot name="account" with={{}} />
          <ChangePassword email={user.email} />
          <Deletion />
        </>
      )}
    </Answered>
  );
}

function About({ user }: { readonly user: User }): JSX.Element {
  const { busy, problem, submit } = useSubmission("The accounts", async () => {
    visit.cartId.set(null);
    await session.signOut();
    announce("You are signed out.");
    go(to("/"));
  });
  return (
    <section aria-label="Who you are">
      <dl class="about">
        <dt>E-mail address</dt>
        <dd>{user.email}</dd>
        <dt>With us since</dt>
        <dd>{inTime(user.registeredAt)}</dd>
        {user.roles.length > 0 && (
          <>
            <dt>Trusted as</dt>
            <dd>{user.roles.join(", ")}</dd>
          </>
        )}
      </dl>
      {problem && (
        <Notice kind="problem">
          <p>{problem}</p>
        </Notice>
      )}
      <button type="button" class="button" onClick={submit} aria-disabled={busy}>
        Sign out
      </button>
    </section>
  );
}

function ChangePassword({ email }: { readonly email: string }): JSX.Element {
  const [round, setRound] = useState(0);
  const { busy, problem, problems, onSubmit } = useSubmission(
    "The accounts",
    async (form) => {
      await authentication.changePassword({
        currentPassword: textOf(form, "current"),
        newPassword: textOf(form, "new"),
      });
      setRound(round + 1);
    },
    (thrown) =>
      authentication.changePassword.refused(thrown) && thrown.error.name === "InvalidCredentials"
        ? "The current password is wrong."
        : refusal(thrown),
  );
  return (
    <section aria-labelledby="change-password">
      <h2 id="change-password">Change the password</h2>
      {round > 0 && (
        <div role="status">
          <Notice kind="good">
            <p>Your password is changed. Other devices are signed out.</p>
          </Notice>
        </div>
      )}
      <form class="form" onSubmit={onSubmit} key={round}>
        {/* Lets password managers know whose password it is. */}
        <input class="hidden" type="email" autocomplete="username" value={email} readOnly tabIndex={-1} aria-hidden="true" />
        <Field
          label="Current password"
          name="current"
          type="password"
          autocomplete="current-password"
          {...PASSWORD}
          problem={problems["currentPassword"]}
        />
        <Field
          label="New password"
          name="new"
          type="password"
          autocomplete="new-password"
          {...PASSWORD}
          hint="8 characters or more, of any kind."
          problem={problems["newPassword"]}
        />
        {problem && (
          <Notice kind="problem">
            <p>{problem}</p>
          </Notice>
        )}
        <button class="button" type="submit" aria-disabled={busy}>
          Change the password
        </button>
      </form>
    </section>
  );
}

function Deletion(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const { busy, problem, submit } = useSubmission("The accounts", async () => {
    await authentication.deleteUser();
    visit.cartId.set(null);
    await session.signOut();
    announce("Your account is deleted.");
    go(to("/"));
  });
  return (
    <section aria-labelledby="deletion">
      <h2 id="deletion">Delete the account</h2>
      <p>Your account goes, and what the shop keeps of you with it. It cannot be brought back.</p>
      <button type="button" class="button danger" onClick={() => dialog.current?.showModal()}>
        Delete the account …
      </button>
      <dialog ref={dialog} aria-labelledby="deletion-question">
        <h2 id="deletion-question">Delete your account for good?</h2>
        {problem && (
          <Notice kind="problem">
            <p>{problem}</p>
          </Notice>
        )}
        <div class="row">
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            Keep it
          </button>
          <button type="button" class="button danger" onClick={submit} aria-disabled={busy}>
            Delete it
          </button>
        </div>
      </dialog>
    </section>
  );
}
