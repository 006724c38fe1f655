"""A service that does something else than it declares fails at the start, wherever it runs."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from grpc_examples.v1 import greeter_pb2_grpc
from litestar import Router
from sqlalchemy import MetaData

from conformance.handler import Conformance
from conformance.v1.conformance_bus import CONFORMANCE, ConformanceStub, register_conformance
from lib.grpc_inprocess.examples import Greeter
from seam.codec.wellknown_records import FIELD_MASK
from seam.contract import EventDescriptor, FieldMask, ServiceDescriptor
from seam.contract.access import NOBODY, Access
from seam.events import subscribe
from seam.http import HttpApi
from seam.persistence import Transaction
from seam.persistence.migrations import Migrations
from seam.runtime import GrpcServicer, Resources, Service
from seam.runtime.declarations import ServiceError, check_answers
from seam.runtime.hosting import hosting
from seam.runtime.service import DatabaseLocation, Provided
from seam.runtime.topology import Address, Process, Topology

ANY = Address("127.0.0.1", 0)
ELSEWHERE = Process("elsewhere", ("conformance", "grpc_examples"), grpc=Address("127.0.0.1", 1))
GREETER = "grpc_examples.v1.Greeter"

Answers = Sequence[Provided]


def service(
    name: str,
    start: Callable[[Resources], Answers],
    *needs: ServiceDescriptor | str,
    http: tuple[HttpApi[Any], ...] = (),
    publishes: tuple[EventDescriptor[Any], ...] = (),
) -> Service:
    @asynccontextmanager
    async def started(resources: Resources) -> AsyncIterator[Answers]:
        yield start(resources)

    return Service(name, started, needs=needs, http=http, publishes=publishes)


def answer_conformance(_: Resources) -> Answers:
    return (register_conformance(Conformance()),)


def answer_greeter(_: Resources) -> Answers:
    return (GrpcServicer(partial(greeter_pb2_grpc.add_GreeterServicer_to_server, Greeter())),)


def answer_nothing(_: Resources) -> Answers:
    return ()


def call_conformance(resources: Resources) -> Answers:
    resources.channel(CONFORMANCE)
    return ()


def call_greeter(resources: Resources) -> Answers:
    resources.grpc_channel(GREETER)
    return ()


async def start(*services: Service, together: bool = True) -> None:
    """Put a process together, of all services or of the first one."""
    here = services if together else services[:1]
    process = Process("here", tuple(each.name for each in here), http=ANY, grpc=ANY)
    others = {} if together else {"elsewhere": ELSEWHERE}
    nowhere = DatabaseLocation("sqlite:///unused.db", embedded=True)
    databases = {each.name: nowhere for each in services}
    topology = Topology({"here": process, **others})
    async with hosting(process, topology, services, databases, title="test"):
        pass


@pytest.mark.parametrize("together", [True, False], ids=["together", "apart"])
async def test_services_that_do_what_they_declare_start(together: bool) -> None:
    await start(
        service("caller", call_conformance, CONFORMANCE),
        service("conformance", answer_conformance),
        together=together,
    )
    await start(
        service("caller", call_greeter, GREETER),
        service("grpc_examples", answer_greeter),
        together=together,
    )


@pytest.mark.parametrize("together", [True, False], ids=["together", "apart"])
@pytest.mark.parametrize(
    ("call", "name"), [(call_conformance, CONFORMANCE.name), (call_greeter, GREETER)]
)
async def test_what_is_called_must_be_declared(
    together: bool, call: Callable[[Resources], Answers], name: str
) -> None:
    caller = service("caller", call)
    others = [
        service("conformance", answer_conformance),
        service("grpc_examples", answer_greeter),
    ]
    expected = f"'caller' asks for a channel to {name}, which is not in its `needs`"
    with pytest.raises(ServiceError, match=expected):
        await start(caller, *others, together=together)


def only_for(*accesses: Access) -> ServiceDescriptor:
    """The contract of conformance, if its methods were for these."""
    methods = zip(CONFORMANCE.methods, accesses, strict=False)
    return ServiceDescriptor(
        CONFORMANCE.name, tuple(replace(method, access=access) for method, access in methods)
    )


FOR_OTHERS = Access(callers=frozenset({"somebody", "else"}))


@pytest.mark.parametrize("together", [True, False], ids=["together", "apart"])
async def test_a_service_that_could_call_nothing_of_what_it_needs_does_not_start(
    together: bool,
) -> None:
    descriptor = only_for(FOR_OTHERS, NOBODY)

    def call(resources: Resources) -> Answers:
        raise AssertionError("it was started")

    services = (service("caller", call, descriptor), service("conformance", answer_conformance))
    expected = re.escape(
        "service 'caller' needs conformance.v1.Conformance, none of whose methods lets 'caller' "
        "call it; name it among the `callers` of those that it calls, in the contract of "
        "'conformance'"
    )
    with pytest.raises(ServiceError, match=expected):
        await start(*services, together=together)


@pytest.mark.parametrize(
    "access",
    [
        Access(callers=frozenset({"somebody", "caller"})),
        Access(public=True),
        Access(signed_in=True),
        Access(roles=frozenset({"agent"})),
    ],
)
async def test_one_method_that_a_service_may_call_is_enough(access: Access) -> None:
    descriptor = only_for(FOR_OTHERS, access)

    def call(resources: Resources) -> Answers:
        resources.channel(descriptor)
        return ()

    await start(service("caller", call, descriptor), together=False)


@pytest.mark.parametrize("together", [True, False], ids=["together", "apart"])
async def test_what_is_declared_must_be_called(together: bool) -> None:
    caller = service("caller", answer_nothing, CONFORMANCE)
    with pytest.raises(ServiceError, match=r"'caller' needs .*\.Conformance, and its"):
        await start(caller, service("conformance", answer_conformance), together=together)


@pytest.mark.parametrize("together", [True, False], ids=["together", "apart"])
async def test_channels_are_asked_for_at_the_start(together: bool) -> None:
    kept: list[Resources] = []

    def keep(resources: Resources) -> Answers:
        kept.append(resources)
        return call_conformance(resources)

    caller = service("caller", keep, CONFORMANCE)
    await start(caller, service("conformance", answer_conformance), together=together)
    with pytest.raises(ServiceError, match="after its start; ask in `start`"):
        kept[0].channel(CONFORMANCE)


async def test_a_service_may_call_itself_without_saying_so() -> None:
    def answer_and_call(resources: Resources) -> Answers:
        ConformanceStub(resources.channel(CONFORMANCE))
        return answer_conformance(resources)

    await start(service("conformance", answer_and_call))


@pytest.mark.parametrize(
    ("call", "need", "owner"),
    [(call_conformance, CONFORMANCE, "conformance"), (call_greeter, GREETER, "grpc_examples")],
)
async def test_what_is_needed_and_lives_here_must_be_answered(
    call: Callable[[Resources], Answers], need: ServiceDescriptor | str, owner: str
) -> None:
    expected = f"the start of '{owner}' registers no handler of it"
    with pytest.raises(ServiceError, match=expected):
        await start(service("caller", call, need), service(owner, answer_nothing))


@pytest.mark.parametrize("answer", [answer_conformance, answer_greeter])
async def test_what_a_service_answers_must_be_its_own(
    answer: Callable[[Resources], Answers],
) -> None:
    with pytest.raises(ServiceError, match=r"service 'other' answers .*, which others look for"):
        await start(service("other", answer))


async def test_what_a_service_publishes_must_be_its_own() -> None:
    event = EventDescriptor("conformance.v1.Changed", FIELD_MASK, key=lambda _: "")
    await start(service("conformance", answer_nothing, publishes=(event,)))
    expected = "service 'other' publishes conformance.v1.Changed, which others look for where"
    with pytest.raises(ServiceError, match=expected):
        await start(service("other", answer_nothing, publishes=(event,)))


@pytest.mark.parametrize(
    ("subscribers", "allowed"),
    [((), "no other service"), (("search", "ledger"), "ledger, search")],
)
async def test_a_subscriber_must_be_named_by_the_contract_of_the_event(
    subscribers: tuple[str, ...], allowed: str
) -> None:
    async def ignore(_: FieldMask, __: Transaction) -> None:
        pass

    event = EventDescriptor(
        "conformance.v1.Changed", FIELD_MASK, lambda _: "", frozenset(subscribers)
    )

    def listen(_: Resources) -> Answers:
        return (subscribe(event, ignore),)

    named = service("caller", listen)
    expected = (
        f"service 'caller' subscribes to conformance.v1.Changed, and its contract lets {allowed} do"
        " so; name it among the `subscribers` of the event in the contract of 'conformance'"
    )
    with pytest.raises(ServiceError, match=re.escape(expected)):
        await start(named)
    for each in ("conformance", *subscribers):
        check_answers(service(each, listen), [subscribe(event, ignore)])


async def test_what_routes_lead_to_must_be_answered() -> None:
    def no_routes(_: ConformanceStub) -> Router:
        return Router("/conformance", route_handlers=[])

    document: dict[str, Any] = {"paths": {}, "components": {"schemas": {}}}
    api = HttpApi(CONFORMANCE, ConformanceStub, no_routes, {}, document)
    await start(service("conformance", answer_conformance, http=(api,)))
    with pytest.raises(ServiceError, match=r"has routes to .*\.Conformance, and its start"):
        await start(service("conformance", answer_nothing, http=(api,)))


def test_a_servicer_is_asked_for_its_name() -> None:
    register = partial(greeter_pb2_grpc.add_GreeterServicer_to_server, Greeter())
    assert GrpcServicer(register).names == (GREETER,)


async def test_tables_must_be_in_the_schema_of_their_service(tmp_path: Path) -> None:
    tables = Migrations(MetaData(schema="other"), tmp_path)
    caller = replace(service("caller", lambda _: ()), migrations=tables)
    expected = "the tables of service 'caller' are in the schema 'other'; expected MetaData"
    with pytest.raises(ServiceError, match=expected):
        await start(caller)
