"""Whose tokens a process accepts: another issuer's by configuration alone, or the shop's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from conformance.handler import Conformance
from conformance.requests import failure_of
from conformance.v1.conformance import EnterRequest, ObserveRequest
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub, register_conformance
from seam.auth import key_source
from seam.auth.fetching import keys_at, keys_of_issuer
from seam.auth.keys import KeysError
from seam.auth.shop_issuer import AUTHENTICATION, Keys
from seam.bus import GrpcChannel, Registration, open_channel
from seam.call import call_scope
from seam.call.principal import claimed
from seam.contract import ServiceDescriptor
from seam.contract.access import Access
from seam.contract.errors import Code
from seam.contract.records import Empty
from seam.runtime import Resources, Service
from seam.runtime.hosting import Bound, hosting
from seam.runtime.service import DatabaseLocation
from seam.runtime.topology import Address, IssuerSettings, Process, Topology
from seam.testing.issuer import TestIssuer
from seam.testing.nats import NatsServer
from seam.testing.openid_issuer import OpenIdIssuer, openid_issuer

ANY = Address("127.0.0.1", 0)
ROLES = ("realm_access", "roles")
ENTER = EnterRequest(key="")


@asynccontextmanager
async def _start(_: Resources) -> AsyncIterator[Sequence[Registration]]:
    yield (register_conformance(Conformance()),)


SHOWN = Service("conformance", _start)


@asynccontextmanager
async def hosted(
    process: Process, topology: Topology, services: Sequence[Service] = (SHOWN,)
) -> AsyncIterator[Bound]:
    nowhere = DatabaseLocation("sqlite:///unused.db", embedded=True)
    databases = {service.name: nowhere for service in services}
    async with hosting(process, topology, services, databases, title="test") as bound:
        yield bound


@asynccontextmanager
async def accepting(
    auth: IssuerSettings | None,
) -> AsyncIterator[tuple[ConformanceStub, httpx.AsyncClient]]:
    """A process that accepts the tokens of an issuer; gives a stub and a client of it."""
    process = Process("shown", ("conformance",), http=ANY, grpc=ANY)
    async with (
        hosted(process, Topology({"shown": process}, auth=auth)) as bound,
        open_channel(str(bound.grpc), [CONFORMANCE]) as connection,
        httpx.AsyncClient(base_url=f"http://{bound.http}") as client,
    ):
        yield ConformanceStub(GrpcChannel(connection)), client


@pytest.fixture
def issuer() -> Iterator[OpenIdIssuer]:
    with openid_issuer() as running:
        yield running


async def until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10):
        while True:
            if (await client.get("/readyz")).status_code == 200:
                return
            await asyncio.sleep(0.05)


async def test_another_issuer_takes_the_shops_place_by_configuration_alone(
    issuer: OpenIdIssuer,
) -> None:
    async with accepting(IssuerSettings(issuer.url, "shop", roles=ROLES)) as (stub, client):
        with call_scope(principal=claimed(issuer.token("f:1:zoe"))):
            entered = await stub.enter_with_role(ENTER)
        assert (entered.principal, entered.roles) == ("f:1:zoe", ("agent",))
        await until_ready(client)
        assert (await client.get("/readyz")).json()["issuer"] == {"ready": True}
        for token in (
            issuer.token("zoe", aud="account"),
            issuer.token("zoe", iss="https://id.example"),
            issuer.token("zoe", exp=1),
            TestIssuer("theirs").token(iss=issuer.url),
        ):
            with call_scope(principal=claimed(token)):
                assert (await failure_of(stub.enter_signed_in(ENTER))).code is Code.UNAUTHENTICATED
        assert issuer.asked[:2] == ["/realm/.well-known/openid-configuration", "/realm/certs"]


@pytest.mark.parametrize("where", ["a URL", "a file"])
async def test_keys_may_be_told_where_they_are(
    issuer: OpenIdIssuer, where: str, tmp_path: Path
) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(issuer.documents["/realm/certs"])
    jwks = f"{issuer.url}/certs" if where == "a URL" else str(file)
    auth = IssuerSettings("https://id.example", "shop", jwks, ROLES)
    async with accepting(auth) as (stub, _):
        token = issuer.token("zoe", iss="https://id.example")
        with call_scope(principal=claimed(token)):
            assert (await stub.enter_signed_in(ENTER)).principal == "zoe"
    assert "/realm/.well-known/openid-configuration" not in issuer.asked


async def test_an_issuer_that_is_away_at_the_start_is_named_and_waited_for(
    issuer: OpenIdIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_source, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(key_source, "PATIENCE", 0.2)
    documents, issuer.documents = issuer.documents, {}
    async with accepting(IssuerSettings(issuer.url, "shop", roles=ROLES)) as (stub, client):
        with call_scope(principal=claimed(issuer.token("zoe"))):
            error = await failure_of(stub.enter_signed_in(ENTER))
        assert (error.code, error.message) == (
            Code.UNAVAILABLE,
            "tokens cannot be verified at present",
        )
        # Who is not signed in is served meanwhile.
        assert (await stub.observe(ObserveRequest(respond={}, refuse=False))).principal == ""
        state = await client.get("/readyz")
        assert state.status_code == 503
        assert state.json()["issuer"] == {"ready": False, "problem": "its keys cannot be fetched"}
        assert "127.0.0.1" not in state.text
        issuer.documents = documents
        await until_ready(client)
        with call_scope(principal=claimed(issuer.token("zoe"))):
            assert (await stub.enter_signed_in(ENTER)).principal == "zoe"


@asynccontextmanager
async def _call(resources: Resources) -> AsyncIterator[Sequence[Registration]]:
    resources.channel(CONFORMANCE)
    yield ()


CALLER = Service("caller", _call, needs=(CONFORMANCE,))


@pytest.mark.parametrize("transport", ["gRPC", "NATS"])
async def test_a_process_that_clients_do_not_reach_says_to_its_callers_that_it_has_no_keys(
    issuer: OpenIdIssuer,
    nats_server: NatsServer,
    transport: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_source, "FIRST_PAUSE", 0.05)
    documents, issuer.documents = issuer.documents, {}
    auth = IssuerSettings(issuer.url, "shop", roles=ROLES)
    over_nats = nats_server.url if transport == "NATS" else None
    there = Process("there", ("conformance",), grpc=ANY, nats=over_nats)
    services = (SHOWN, CALLER)
    async with hosted(there, Topology({"there": there}, auth=auth), services) as at:
        reached = replace(there, grpc=None if over_nats else at.grpc)
        here = Process("here", ("caller",), http=ANY)
        topology = Topology({"here": here, "there": reached})
        async with (
            hosted(here, topology, services) as bound,
            httpx.AsyncClient(base_url=f"http://{bound.http}") as client,
            grpc.aio.insecure_channel(str(at.grpc)) as connection,
        ):
            health = health_pb2_grpc.HealthStub(connection)

            async def serves(name: str) -> bool:
                answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
                return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

            state = await client.get("/readyz")
            assert state.status_code == 503
            assert state.json()["peers"]["there"]["problem"] == (
                "has no keys of the issuer of tokens yet"
            )
            assert not await serves("issuer")
            # Who is not signed in is served meanwhile.
            assert await serves("")
            issuer.documents = documents
            await until_ready(client)
            async with asyncio.timeout(10):
                while not await serves("issuer"):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)


async def test_health_knows_of_no_issuer_where_there_is_none() -> None:
    process = Process("shown", ("conformance",), grpc=ANY)
    async with (
        hosted(process, Topology({"shown": process})) as bound,
        grpc.aio.insecure_channel(str(bound.grpc)) as connection,
    ):
        health = health_pb2_grpc.HealthStub(connection)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health.Check(health_pb2.HealthCheckRequest(service="issuer"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b"<html>", "expected a JSON object with issuer and jwks_uri"),
        (b"[" * 20_000, "expected a JSON object with issuer and jwks_uri"),
        (b"x" * 100_000, "answers with more than 65536 bytes"),
        (b'{"issuer":"https://other","jwks_uri":"http://127.0.0.1:1"}', "is of the issuer"),
    ],
)
async def test_what_an_issuer_says_of_itself_is_not_believed_blindly(
    issuer: OpenIdIssuer, document: bytes, expected: str
) -> None:
    issuer.documents["/realm/.well-known/openid-configuration"] = document
    with pytest.raises(KeysError, match=expected):
        await keys_of_issuer(issuer.url)()


async def test_who_does_not_answer_with_keys_is_told_apart_from_who_is_away(
    issuer: OpenIdIssuer,
) -> None:
    with pytest.raises(KeysError, match="status 404"):
        await keys_at(f"{issuer.url}/nowhere")()
    with pytest.raises(OSError, match=r"127\.0\.0\.1:1"):
        await keys_at("http://127.0.0.1:1/certs")()


async def test_without_an_issuer_nobody_is_let_sign_in_and_all_else_is_as_it_was() -> None:
    async with accepting(None) as (stub, client):
        assert (await stub.observe(ObserveRequest(respond={}, refuse=False))).principal == ""
        with call_scope(principal=claimed(TestIssuer().token())):
            assert (await failure_of(stub.enter_signed_in(ENTER))).code is Code.UNAUTHENTICATED
        state = (await client.get("/readyz")).json()
        assert state["ready"]
        assert "issuer" not in state


def authentication(issuer: TestIssuer) -> Service:
    """A service that issues the shop's tokens, as far as others know it."""
    public = replace(AUTHENTICATION.methods[0], access=Access(public=True))
    descriptor = ServiceDescriptor(AUTHENTICATION.name, (public,))

    async def get_keys(_: Empty) -> Keys:
        return Keys(jwks=(await issuer.fetch()).decode())

    @asynccontextmanager
    async def start(_: Resources) -> AsyncIterator[Sequence[Registration]]:
        yield (Registration(descriptor, {"GetKeys": get_keys}),)

    return Service("authentication", start)


@pytest.mark.parametrize("where", ["in one process", "in two"])
async def test_the_shops_own_issuer_is_asked_over_the_bus(where: str) -> None:
    issuer = TestIssuer()
    services = (SHOWN, authentication(issuer))
    if where == "in one process":
        process = Process("monolith", ("conformance", "authentication"), grpc=ANY)
        topology = Topology({"monolith": process})
        async with hosted(process, topology, services) as bound:
            await _sign_in(bound, issuer)
        return
    home = Process("home", ("authentication",), grpc=ANY)
    async with hosted(home, Topology({"home": home}), services) as at:
        process = Process("shown", ("conformance",), grpc=ANY)
        topology = Topology({"shown": process, "home": replace(home, grpc=at.grpc)})
        async with hosted(process, topology, services) as bound:
            await _sign_in(bound, issuer)


async def _sign_in(bound: Bound, issuer: TestIssuer) -> None:
    async with open_channel(str(bound.grpc), [CONFORMANCE]) as connection:
        stub = ConformanceStub(GrpcChannel(connection))
        with call_scope(principal=claimed(issuer.token("zoe", ["agent"]))):
            assert (await stub.enter_with_role(ENTER)).principal == "zoe"
        foreign = TestIssuer("first").token("zoe", ["agent"])
        with call_scope(principal=claimed(foreign)):
            assert (await failure_of(stub.enter_with_role(ENTER))).code is Code.UNAUTHENTICATED
