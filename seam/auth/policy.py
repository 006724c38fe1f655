"""Holds every call to what its contract says of who may make it.

The policy runs where a call is answered, before a place is taken, an interceptor runs or the
handler learns of the call, and on every transport, the one in the process included: so a service
that moves is neither opened nor shut. A contract that says nothing lets nobody in.

A token that is refused ends a call of a public method too. Who sends one believes to be signed in;
to go on as nobody would show an empty cart where an error says to sign in again.

Within a process the verified principal passes by reference. The policy looks it up by its token all
the same, which costs less than a microsecond: so a token that expires, or that nobody has verified,
ends a call in one process as it does between two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from seam.auth.authenticator import NO_ISSUER, Authenticator
from seam.call.context import CallContext
from seam.call.principal import ANONYMOUS, Principal
from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import Code, StatusError

__all__ = ["Admission", "ContractPolicy", "Policy"]


class Admission(Protocol):
    """Decides who may call one method."""

    def at_once(self, call: CallContext, /) -> CallContext | None:
        """Let a call in, if that can be decided without waiting.

        Returns:
            The call with its verified principal; None when its token is yet to be verified.

        Raises:
            StatusError: UNAUTHENTICATED or PERMISSION_DENIED, because it may not be made.
        """
        ...

    async def after_verifying(self, call: CallContext, /) -> CallContext:
        """Let a call in, after its token was verified.

        Returns:
            The call with its verified principal.

        Raises:
            StatusError: UNAUTHENTICATED or PERMISSION_DENIED, because it may not be made;
                UNAVAILABLE, because its token cannot be verified at present.
        """
        ...


class Policy(Protocol):
    """Decides who may call which method."""

    def admission(self, method: MethodDescriptor[Any, Any], /) -> Admission:
        """Make what decides for one method, once."""
        ...


class ContractPolicy:
    """Lets in whom contracts name; see `Policy`."""

    def __init__(self, authenticator: Authenticator = NO_ISSUER) -> None:
        """Decide by contracts, and by what `authenticator` says of tokens."""
        self._authenticator = authenticator

    def admission(self, method: MethodDescriptor[Any, Any]) -> Admission:
        """See `Policy`."""
        return _ContractAdmission(method, self._authenticator)


class _ContractAdmission:
    """Decides by the contract of one method."""

    __slots__ = ("_authenticator", "_method", "at_once")

    at_once: Callable[[CallContext], CallContext | None]

    def __init__(self, method: MethodDescriptor[Any, Any], authenticator: Authenticator) -> None:
        self._method = method
        self._authenticator = authenticator
        self.at_once = _at_once(method, authenticator.known)

    async def after_verifying(self, call: CallContext) -> CallContext:
        """See `Admission`."""
        principal = await self._authenticator.verify(call.principal.token)
        _check_roles(self._method, principal)
        return msgspec.structs.replace(call, principal=principal)


def _at_once(
    method: MethodDescriptor[Any, Any], known: Callable[[str], Principal | None]
) -> Callable[[CallContext], CallContext | None]:
    """Make the cheapest function that decides: it runs for every call, and is measured."""
    access, roles, callers = method.access, method.access.roles, method.access.callers

    def recognized(call: CallContext, found: Principal | None) -> CallContext | None:
        if found is None:
            if call.principal.token:
                return None
            found = ANONYMOUS
        if roles and not (found.roles & roles):
            _check_roles(method, found)
        return call if found is call.principal else msgspec.structs.replace(call, principal=found)

    def public(call: CallContext) -> CallContext | None:
        principal = call.principal
        if principal is ANONYMOUS:
            return call
        found = known(principal.token)
        return call if found is principal else recognized(call, found)

    def of_users(call: CallContext) -> CallContext | None:
        token = call.principal.token
        if not token:
            raise StatusError(Code.UNAUTHENTICATED, f"{method.full_name}: sign in first")
        return recognized(call, known(token))

    def of_services(call: CallContext) -> CallContext | None:
        if call.caller not in callers:
            who = (
                f"the service '{call.caller}'" if call.caller else "who is no service of the system"
            )
            raise StatusError(
                Code.PERMISSION_DENIED, f"{method.full_name} may not be called by {who}"
            )
        principal = call.principal
        if principal is ANONYMOUS:
            return call
        found = known(principal.token)
        return call if found is principal else recognized(call, found)

    def of_nobody(_: CallContext) -> CallContext | None:
        raise StatusError(
            Code.PERMISSION_DENIED, f"{method.full_name}: its contract lets nobody call it"
        )

    if access.public:
        return public
    if access.signed_in or roles:
        return of_users
    return of_services if callers else of_nobody


def _check_roles(method: MethodDescriptor[Any, Any], principal: Principal) -> None:
    roles = method.access.roles
    if roles and not (principal.roles & roles):
        needed = " or ".join(sorted(roles))
        raise StatusError(Code.PERMISSION_DENIED, f"{method.full_name} needs the role {needed}")
