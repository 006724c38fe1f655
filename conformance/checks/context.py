"""What travels with a call, and what does not."""

from __future__ import annotations

from conformance.check import check
from conformance.handler import TENANT, visible
from conformance.requests import (
    failure_of,
)
from conformance.v1.conformance import (
    ObserveRequest,
    RefusedError,
    RelayRequest,
)
from conformance.v1.conformance_bus import ConformanceStub
from seam.call.context import call_scope
from seam.call.metadata import Metadata
from seam.contract.errors import InvalidField


@check
async def what_travels_with_a_call_travels_down_a_chain(stub: ConformanceStub) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with call_scope(
        principal="Zoë <zoe@example.org>", traceparent=trace, baggage={TENANT: "a, b; c=d"}
    ):
        answer = await stub.relay(RelayRequest(span=None, limit=None, depth=2, key=""))
    assert answer.innermost is not None
    assert answer.innermost.trace == trace
    assert answer.innermost.principal == "Zoë <zoe@example.org>"
    assert answer.innermost.tenant == "a, b; c=d"
    alone = await stub.observe(ObserveRequest(respond={}, refuse=False))
    assert (alone.trace, alone.principal, alone.tenant) == ("", "", "")


@check
async def context_variables_stay_on_their_side(stub: ConformanceStub) -> None:
    token = visible.set("set by the caller")
    seen = await stub.observe(ObserveRequest(respond={}, refuse=False))
    assert seen.context_variable == ""
    assert visible.get() == "set by the caller"
    visible.reset(token)


@check
async def metadata_arrives_and_is_not_passed_on(stub: ConformanceStub) -> None:
    sent = Metadata({"x-text": "some text", "x-data-bin": b"\x00\xff"})
    seen = await stub.observe(ObserveRequest(respond={}, refuse=False), metadata=sent)
    assert seen.metadata == {"x-text": "some text"}
    assert seen.binary_metadata == {"x-data-bin": b"\x00\xff"}
    request = RelayRequest(span=None, limit=None, depth=0, key="")
    answer = await stub.relay(request, metadata=Metadata({"x-text": "some text"}))
    assert answer.innermost is not None
    assert answer.innermost.metadata == {}


@check
async def a_callee_answers_with_metadata_also_when_it_fails(stub: ConformanceStub) -> None:
    for refuse in (False, True):
        metadata = Metadata()
        call = stub.observe(
            ObserveRequest(respond={"x-served-by": "me"}, refuse=refuse), metadata=metadata
        )
        if refuse:
            assert isinstance(await failure_of(call), RefusedError)
        else:
            await call
        assert metadata.received == {"x-served-by": "me"}


@check
async def metadata_that_cannot_travel_is_refused_at_once(stub: ConformanceStub) -> None:
    del stub
    for key, value in (
        ("X-Upper", "a"),
        ("x-data-bin", "text"),
        ("x-text", b"bytes"),
        ("x-text", "grüße"),
        ("grpc-timeout", "1S"),
        ("", "a"),
    ):
        try:
            Metadata({key: value})
        except InvalidField:
            continue
        raise AssertionError(f"{key}: {value!r} was accepted")
