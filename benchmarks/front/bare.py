"""The shop in one process without its guards: no token check, policy, limit or trace.

Nothing of it can be switched off where a shop runs, so it is replaced here, before anything starts.
Every other line is the shop's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from unittest.mock import patch

from litestar.types import ASGIApp

from director.monolith import SERVICES
from seam.auth import Authenticator, Policy
from seam.http import application, gateway
from seam.http.correlation import Correlation
from seam.runtime import hosting, main
from seam.testing.access import EVERYBODY

_UNTRACED: Final = Correlation("none", "")


def _everybody(_: Authenticator) -> Policy:
    return EVERYBODY


def _unasked(app: ASGIApp, _: Authenticator, **__: object) -> ASGIApp:
    return app


def _untraced(_: Mapping[bytes, bytes]) -> Correlation:
    return _UNTRACED


if __name__ == "__main__":
    with (
        patch.object(hosting, "ContractPolicy", _everybody),
        # A function, which has the name of its module.
        patch.dict(application.__globals__, signed_in=_unasked),
        patch.object(gateway, "correlation", _untraced),
    ):
        main("bare", SERVICES, whole_system=True)
