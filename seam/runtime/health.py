"""Whether a process and what it needs can take requests.

Source of the protocol between processes:
https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

from grpc_health.v1 import health_pb2

from seam.persistence import Database

if TYPE_CHECKING:
    from seam.events.broker import Broker
    from seam.runtime.peers import Peers

REPORT_INTERVAL: Final = 0.25
"""Seconds after which other processes are told that a database has gone or come back."""

ISSUER: Final = "issuer"
"""What a process calls the issuer of tokens, whose keys it needs: in `/readyz`, and as the name of
a service whose health is that it has them. Without them it serves everybody who is not signed in,
so that its services do serve, and it does not get ready all the same."""

NO_KEYS: Final = "has no keys of the issuer of tokens yet"
"""What is wrong with another process then."""

_NONE: Final[Mapping[str, Database]] = MappingProxyType({})

_NOTHING: Final[Mapping[str, Callable[[], str | None]]] = MappingProxyType({})

_SERVING: Final = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING


class Readiness:
    """What `/readyz` answers."""

    def __init__(
        self,
        services: Sequence[str],
        peers: Peers,
        databases: Mapping[str, Database] = _NONE,
        broker: Broker | None = None,
        identity: Mapping[str, Callable[[], str | None]] = _NOTHING,
    ) -> None:
        """Report on what a process hosts and needs; not ready until `serving` is set.

        Args:
            services: the services that it hosts.
            peers: the processes that it calls.
            databases: the databases that it uses, by service.
            broker: carries the events of its services, if they leave the process.
            identity: what it needs to know who calls, by name: each says what is wrong with it.
        """
        self._broker = broker
        self._identity = identity
        self._services = tuple(services)
        self._peers = peers
        self._databases = databases
        self.serving = False

    async def __call__(self) -> Mapping[str, Any]:
        """The state now: `ready`, the hosted services, each database and peer with its problem.

        A broker that is away is named as well. Requests are answered without it: what they publish
        waits in the outbox.
        """
        peers = list(self._peers)
        databases = dict(self._databases)
        problems = await asyncio.gather(
            *(database.problem() for database in databases.values()),
            *(peer.problem() for peer in peers),
        )
        identity = {name: problem() for name, problem in self._identity.items()}
        of_databases, of_peers = problems[: len(databases)], problems[len(databases) :]
        return {
            "ready": self.serving and not any((*problems, *identity.values())),
            "services": self._services,
            "databases": {
                service: _state(problem)
                for service, problem in zip(databases, of_databases, strict=True)
            },
            "peers": {
                peer.name: {"services": peer.services, **_state(problem)}
                for peer, problem in zip(peers, of_peers, strict=True)
            },
            **{name: _state(problem) for name, problem in identity.items()},
            **({} if self._broker is None else {"broker": _state(self._broker.problem)}),
        }


def _state(problem: str | None) -> dict[str, object]:
    return {"ready": True} if problem is None else {"ready": False, "problem": problem}


class HealthListener(Protocol):
    """Who is told whether services can answer."""

    async def set(self, service: str, status: int) -> None:
        """Learn the `grpc.health.v1` status of a service; of the process when it is ""."""
        ...


async def report_health(
    listener: HealthListener,
    names: Sequence[str],
    databases: Mapping[str, Database],
    issuer: Callable[[], str | None] | None = None,
) -> None:
    """Tell other processes when a service cannot answer and when it can again, until cancelled.

    All of them serve at first. A service whose database is away does not serve, and the process
    does not when none of its services does.

    Args:
        listener: what other processes ask.
        names: full names of the contract services that are answered.
        databases: the databases of their services, by the name of the service.
        issuer: says what is wrong with the issuer of tokens; None when there is none.
    """
    known = dict.fromkeys(("", *names), _SERVING)
    if issuer is not None:
        known[ISSUER] = _NOT_SERVING
    while True:
        away = {service for service, database in databases.items() if not database.available}
        states = {
            name: _NOT_SERVING if name.partition(".")[0] in away else _SERVING for name in names
        }
        states[""] = _NOT_SERVING if states and _SERVING not in states.values() else _SERVING
        if issuer is not None:
            states[ISSUER] = _SERVING if issuer() is None else _NOT_SERVING
        for name, state in states.items():
            if known[name] != state:
                await listener.set(name, state)
        known = states
        await asyncio.sleep(REPORT_INTERVAL)
