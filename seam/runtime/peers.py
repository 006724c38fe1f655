"""The other processes that this one calls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from seam.bus import Channel, GrpcChannel, Interceptor, open_channel
from seam.bus.grpc.connection import target_of
from seam.contract import ServiceDescriptor
from seam.runtime.health import ISSUER, NO_KEYS
from seam.runtime.service_settings import SettingsError
from seam.runtime.topology import Process, Topology

if TYPE_CHECKING:
    from seam.runtime.nats_peer import NatsPeer

HEALTH_TIMEOUT: Final = 1.0
"""Seconds that a peer has to say that it serves."""

_NOT_SERVING: Final = "not serving"

_UNHEALTHY: Final = "backend unhealthy"
"""How gRPC ends its account of a channel whose servers say that they do not serve."""


class Peer:
    """One other process, or several that are alike."""

    def __init__(self, process: Process, connection: grpc.aio.Channel) -> None:
        """Reach `process` over `connection`."""
        self.name = process.name
        self.address = ", ".join(process.addresses)
        self.services = process.services
        self.called: set[str] = set()
        self._health = health_pb2_grpc.HealthStub(connection)

    async def problem(self) -> str | None:
        """Why the peer cannot take calls, or None when it can."""
        # Each service is asked for as well: others of the same process may do without its database.
        names = ("", ISSUER, *self.called)
        problems = await asyncio.gather(*(self._problem(name) for name in names))
        return next((problem for problem in problems if problem), None)

    async def _problem(self, name: str) -> str | None:
        request = health_pb2.HealthCheckRequest(service=name)
        try:
            answer = await self._health.Check(request, timeout=HEALTH_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            if name and error.code() is grpc.StatusCode.NOT_FOUND:
                # A program of somebody else may know of the process alone.
                return None
            # The channel watches its servers' health, and asks none that does not serve.
            if (error.details() or "").endswith(_UNHEALTHY):
                return _NOT_SERVING
            return f"unreachable: {error.code().name}"
        if answer.status == health_pb2.HealthCheckResponse.SERVING:
            return None
        return NO_KEYS if name == ISSUER else _NOT_SERVING


class Peers:
    """Finds the process of a service, and opens a channel for each contract that is called."""

    def __init__(
        self,
        topology: Topology,
        stack: AsyncExitStack,
        client_interceptors: Sequence[Interceptor],
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        """Look services up in `topology`; `stack` closes the channels.

        Args:
            topology: where services are.
            stack: closes the channels.
            client_interceptors: run where a call is made, outermost first.
            credentials: prove who calls, and check who answers; None on a network that is trusted.
        """
        self._topology = topology
        self._stack = stack
        self._client_interceptors = client_interceptors
        self._credentials = credentials
        self._peers: dict[str, Peer | NatsPeer] = {}
        self._channels: dict[str, Channel] = {}

    def __iter__(self) -> Iterator[Peer | NatsPeer]:
        """The peers that are called, in the order in which they were first needed."""
        return iter(self._peers.values())

    def channel(self, descriptor: ServiceDescriptor) -> Channel:
        """The channel to what answers `descriptor`.

        Raises:
            SettingsError: no process of the topology hosts the service.
        """
        channel = self._channels.get(descriptor.name)
        if channel is None:
            channel = self._channels[descriptor.name] = self._open(descriptor)
        return channel

    def grpc_channel(self, owner: str) -> grpc.aio.Channel:
        """A channel to the process of a service, for stubs that protoc has made.

        Raises:
            SettingsError: no process of the topology hosts the service, or not over gRPC.
        """
        home = self._home(owner)
        if not home.addresses:
            raise SettingsError(
                f"service '{owner}' is called with stubs that protoc has made; "
                f"give process '{home.name}' an address for them: grpc"
            )
        return self._connect(home, [], owner)

    def aside(self, descriptor: ServiceDescriptor) -> Channel:
        """As `channel`, for what this process can do without for a while: it is no peer of it.

        Raises:
            SettingsError: no process of the topology hosts the service.
        """
        home = self._home(descriptor.owner)
        if home.nats is not None:
            return self._open_nats(home, home.nats).channel(descriptor, self._client_interceptors)
        connection = self._open_grpc(home, [descriptor], descriptor.owner)
        return GrpcChannel(connection, client_interceptors=self._client_interceptors)

    def _open(self, descriptor: ServiceDescriptor) -> Channel:
        home = self._home(descriptor.owner)
        if home.nats is not None:
            return self._nats_peer(home, home.nats).channel(descriptor, self._client_interceptors)
        connection = self._connect(home, [descriptor], descriptor.owner)
        return GrpcChannel(connection, client_interceptors=self._client_interceptors)

    def _home(self, owner: str) -> Process:
        home = self._topology.home(owner)
        if home is None or not (home.addresses or home.nats):
            raise SettingsError(
                f"service '{owner}' is needed here but runs in no process; "
                "say where it listens in a topology file (--topology)"
            )
        return home

    def _connect(
        self, home: Process, called: Sequence[ServiceDescriptor], owner: str
    ) -> grpc.aio.Channel:
        connection = self._open_grpc(home, called, owner)
        if home.name not in self._peers:
            self._peers[home.name] = Peer(home, connection)
        self._peers[home.name].called.update(descriptor.name for descriptor in called)
        return connection

    def _open_grpc(
        self, home: Process, called: Sequence[ServiceDescriptor], owner: str
    ) -> grpc.aio.Channel:
        connection = open_channel(
            target_of(home.addresses), called, credentials=self._credentials, name=owner
        )
        self._stack.push_async_callback(connection.close)
        return connection

    def _nats_peer(self, home: Process, url: str) -> NatsPeer:
        peer = self._peers.get(home.name)
        if peer is None or isinstance(peer, Peer):
            peer = self._peers[home.name] = self._open_nats(home, url)
        return peer

    def _open_nats(self, home: Process, url: str) -> NatsPeer:
        # NATS's client is loaded by processes that use it.
        from seam.runtime.nats_peer import NatsPeer  # noqa: PLC0415

        peer = NatsPeer(home, url)
        self._stack.push_async_callback(peer.close)
        return peer
