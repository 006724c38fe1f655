"""The other processes that this one calls, one connection each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from seam.bus import GrpcChannel, Interceptor, ServiceContract
from seam.process.settings import SettingsError
from seam.process.topology import Process, Topology

HEALTH_TIMEOUT: Final = 1.0
"""Seconds that a peer has to say that it serves."""

# A peer that restarts should be found again at once and not after gRPC's default two minutes.
_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


class Peer:
    """One other process."""

    def __init__(self, process: Process, connection: grpc.aio.Channel) -> None:
        """Reach `process` over `connection`."""
        self.name = process.name
        self.address = str(process.grpc)
        self.services = process.services
        self.connection = connection
        self._health = health_pb2_grpc.HealthStub(connection)

    async def problem(self) -> str | None:
        """Why the peer cannot take calls, or None when it can."""
        request = health_pb2.HealthCheckRequest()
        try:
            answer = await self._health.Check(request, timeout=HEALTH_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            return f"unreachable: {error.code().name}"
        if answer.status != health_pb2.HealthCheckResponse.SERVING:
            return "not serving"
        return None


class Peers:
    """Finds the process of a service and keeps one connection to each."""

    def __init__(
        self,
        topology: Topology,
        stack: AsyncExitStack,
        client_interceptors: Sequence[Interceptor],
    ) -> None:
        """Look services up in `topology`; `stack` closes the connections."""
        self._topology = topology
        self._stack = stack
        self._client_interceptors = client_interceptors
        self._peers: dict[str, Peer] = {}

    def __iter__(self) -> Iterator[Peer]:
        """The peers that are called, in the order in which they were first needed."""
        return iter(self._peers.values())

    def channel(self, contract: ServiceContract) -> GrpcChannel:
        """The channel to whoever answers `contract`.

        Raises:
            SettingsError: no process of the topology hosts the service.
        """
        home = self._topology.home(contract.owner)
        if home is None or home.grpc is None:
            raise SettingsError(
                f"service '{contract.owner}' is needed here but runs in no process; "
                "say where it listens in a topology file (--topology)"
            )
        peer = self._peers.get(home.name)
        if peer is None:
            connection = grpc.aio.insecure_channel(str(home.grpc), options=_OPTIONS)
            self._stack.push_async_callback(connection.close)
            peer = self._peers[home.name] = Peer(home, connection)
        return GrpcChannel(peer.connection, client_interceptors=self._client_interceptors)
