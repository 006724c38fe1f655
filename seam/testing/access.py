"""Lets tests call what their contracts would refuse them."""

from __future__ import annotations

from typing import Any, Final

from seam.auth import Admission, Policy
from seam.call.context import CallContext
from seam.contract import MethodDescriptor


class _Everybody:
    """Lets every call in, with the principal that it names itself; see `Policy`."""

    def admission(self, _: MethodDescriptor[Any, Any], /) -> Admission:
        """See `Policy`."""
        return self

    def at_once(self, call: CallContext, /) -> CallContext | None:
        """See `Admission`."""
        return call

    async def after_verifying(self, call: CallContext, /) -> CallContext:
        """See `Admission`."""
        return call


EVERYBODY: Final[Policy] = _Everybody()
"""For tests of something else than access, and for mocks."""
