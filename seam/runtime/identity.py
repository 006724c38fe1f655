"""What a process needs to know who calls, and to prove who it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from seam.auth.shop_issuer import AUTHENTICATION
from seam.bus import Channel
from seam.runtime.health import ISSUER
from seam.runtime.topology import Process, Topology

if TYPE_CHECKING:
    from seam.runtime.issuer import Issuer
    from seam.runtime.tls import ProcessTls


def tls_of(topology: Topology, process: Process) -> ProcessTls | None:
    """What a process proves to others who it is with, where a topology asks for that."""
    if topology.tls is None:
        return None
    # What reads certificates is loaded by processes that have one.
    from seam.runtime.tls import ProcessTls  # noqa: PLC0415

    return ProcessTls(topology.tls, process)


def issuer_of_tokens(topology: Topology, channel: Callable[[], Channel]) -> Issuer | None:
    """The issuer whose tokens are accepted; None when there is none, so that none is."""
    if topology.auth is None and topology.home(AUTHENTICATION.owner) is None:
        return None
    # What verifies tokens is loaded by processes that accept some.
    from seam.runtime.issuer import issuer_of  # noqa: PLC0415

    return issuer_of(topology, channel)


def what_is_missing(
    issuer: Issuer | None, tls: ProcessTls | None
) -> Mapping[str, Callable[[], str | None]]:
    """What a process needs to know who calls: each says what is wrong with it."""
    needed: dict[str, Callable[[], str | None]] = {}
    if issuer is not None:
        needed[ISSUER] = lambda: issuer.source.problem
    if tls is not None:
        needed["certificate"] = lambda: tls.problem
    return needed
