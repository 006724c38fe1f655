/** What the shop's people see to: each service shows what it has for them. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { SignInFirst } from "../answer.js";
import { Notice, PageTitle, SkeletonLines } from "../controls.js";
import { useObserved } from "../observed.js";
import { Slot } from "../slot.js";
import { visit } from "../visit.js";
import { STAFF } from "./staff.js";

const PATIENCE_MS = 2_500;

export function DeskPage(): JSX.Element {
  const signedIn = useObserved(visit.signedIn);
  return (
    <>
      <PageTitle>Desk</PageTitle>
      {signedIn ? <Parts /> : <SignInFirst why="The desk is for the shop's people. Are you one of them?" />}
    </>
  );
}

function Parts(): JSX.Element {
  const account = useObserved(visit.account);
  const [waited, setWaited] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setWaited(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  if (account ? account.roles.includes(STAFF) : waited) {
    // Who cannot be told is let in: what is here for whom, each service decides by itself.
    return (
      <div class="desk">
        <Slot name="desk" with={{}} />
        <section aria-labelledby="dead-letters">
          <h2 id="dead-letters">Dead letters</h2>
          <p class="hint">Events that a service could not handle. Nobody tries them again until you say so.</p>
          <div class="dead-letters">
            <Slot name="deadLetters" with={{}} />
          </div>
        </section>
      </div>
    );
  }
  if (account) {
    return (
      <Notice>
        <p>The desk is for the shop's people, and {account.email} is not among them.</p>
      </Notice>
    );
  }
  return <SkeletonLines count={8} />;
}
