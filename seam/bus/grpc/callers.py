"""Which service calls over gRPC: what a call says, and what its link proves."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic
from typing import Final

import grpc

from seam.contract.errors import Code, StatusError

__all__ = ["BELIEVED", "CERTIFIED", "CallerCheck"]

log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[bytes, bytes]

CallerCheck = Callable[[Context, str], None]
"""Checks that who calls is the service that it says. Raises `StatusError` when it is not proven."""

INTERVAL: Final = 30.0
"""Seconds between two lines of the log about calls in somebody else's name."""

_NAMES: Final = "x509_subject_alternative_name"


def _believe(_: Context, __: str) -> None:
    """Believe it, because nobody else reaches the port: on a loopback, a Unix socket."""


class _Certified:
    """Believes what the certificate of the link says, which names the services of its process."""

    def __init__(self) -> None:
        self._said = -INTERVAL

    def __call__(self, context: Context, caller: str) -> None:
        """See `CallerCheck`."""
        names = context.auth_context().get(_NAMES, ())
        if caller.encode("utf-8", "replace") in names:
            return
        now = monotonic()
        if now - self._said >= INTERVAL:
            self._said = now
            shown = ", ".join(name.decode("utf-8", "replace") for name in names) or "no certificate"
            log.warning(
                "refused a call in the name of %.80r from %s, which proves: %.200s",
                caller,
                context.peer(),
                shown,
            )
        raise StatusError(
            Code.PERMISSION_DENIED, "the caller does not prove to be the service that it says"
        )


BELIEVED: Final[CallerCheck] = _believe
"""For a port that only processes of the same system can reach."""

CERTIFIED: Final[CallerCheck] = _Certified()
"""For a port that asks for certificates; on any other, nobody proves anything."""
