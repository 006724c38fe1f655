/** In the header: the way to one's account, or to signing in. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { shop, to, useObserved, visit } from "storefront";

export function AccountLink(): JSX.Element {
  const signedIn = useObserved(visit.signedIn);
  useEffect(() => {
    if (signedIn) {
      // Pages do without; the account's own page says when it cannot be had.
      shop.authentication.getUser().then((user) => visit.account.set(user), () => undefined);
    }
  }, [signedIn]);
  return <a href={to(signedIn ? "/account" : "/sign-in")}>{signedIn ? "Account" : "Sign in"}</a>;
}
