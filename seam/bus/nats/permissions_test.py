"""Who calls over NATS is who its server lets call."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from conformance.handler import Conformance
from conformance.issuer import POLICY
from conformance.requests import failure_of
from conformance.v1.conformance import EnterRequest
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub, register_conformance
from seam.bus import HandlerRegistry
from seam.bus.nats import NatsChannel, open_nats, serve_nats
from seam.bus.nats.protocol import all_calls_subject, caller_of, calls_subject
from seam.contract import Code
from seam.testing.nats import NatsServer

PERMISSIONS = """
authorization {
  users = [
    {user: shown, password: s, permissions: {
      subscribe: ["seam.calls.*.conformance.>", "_INBOX.>"], publish: ["_INBOX.>"]}}
    {user: orders, password: o, permissions: {
      subscribe: ["_INBOX.>"], publish: ["seam.calls.orders.>", "_INBOX.>"]}}
    {user: front, password: f, permissions: {
      subscribe: ["_INBOX.>"], publish: ["seam.calls.-.>", "_INBOX.>"]}}
  ]
}
"""


@pytest.fixture
def server() -> Iterator[NatsServer]:
    with tempfile.TemporaryDirectory(prefix="nats-") as directory:
        running = NatsServer(Path(directory), more=PERMISSIONS)
        running.start()
        yield running
        running.kill()


def url(server: NatsServer, user: str) -> str:
    return f"nats://{user}:{user[0]}@{server.address}"


@asynccontextmanager
async def calling(server: NatsServer, user: str, caller: str) -> AsyncIterator[ConformanceStub]:
    async with open_nats(url(server, user)) as link:
        yield ConformanceStub(NatsChannel(link).called_by(caller))


async def test_a_user_calls_as_the_service_that_the_server_lets_it_be(
    server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    registry = HandlerRegistry(policy=POLICY)
    registry.register(register_conformance(Conformance()))
    request = EnterRequest(key="")
    async with serve_nats(url(server, "shown"), [CONFORMANCE], registry, grace=0):
        async with calling(server, "orders", "orders") as stub:
            assert (await stub.enter_as_service(request)).caller == "orders"
        for user, caller in (("orders", "conformance"), ("front", "orders"), ("orders", "")):
            async with calling(server, user, caller) as stub:
                error = await failure_of(stub.enter_as_service(request, timeout=5))
                assert error.code is Code.UNAVAILABLE
                told = [each for each in caplog.messages if "does not let this process" in each]
                assert len(told) == 1
            caplog.clear()
        async with calling(server, "front", "") as stub:
            error = await failure_of(stub.enter_as_service(request))
            assert error.code is Code.PERMISSION_DENIED


def test_a_subject_names_who_calls() -> None:
    service = "inventory.v1.Inventory"
    assert caller_of(calls_subject(service, "orders")) == "orders"
    assert caller_of(calls_subject(service)) == ""
    assert all_calls_subject(service) == "seam.calls.*.inventory.v1.Inventory"
