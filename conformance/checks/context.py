"""What travels with a call, and what does not."""

from __future__ import annotations

from typing import Final

from conformance.check import check
from conformance.handler import TENANT, visible
from conformance.issuer import signed_in
from conformance.requests import LONG, failure_of
from conformance.v1.conformance import (
    ObserveRequest,
    RefusedError,
    RelayRequest,
)
from conformance.v1.conformance_bus import ConformanceStub
from seam.call.context import call_scope
from seam.call.metadata import Metadata
from seam.call.principal import Principal, claimed
from seam.contract.errors import Code, InvalidField

TRACE: Final = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@check
async def what_travels_with_a_call_travels_down_a_chain(stub: ConformanceStub) -> None:
    state = "a=1,b@c=x;y z"
    with call_scope(
        principal=signed_in("zoe"),
        traceparent=TRACE,
        tracestate=state,
        baggage={TENANT: "a, b; c=d"},
    ):
        answer = await stub.relay(RelayRequest(span=None, limit=None, depth=2, key=""))
    assert answer.innermost is not None
    assert answer.innermost.trace == TRACE
    assert answer.innermost.trace_state == state
    assert answer.innermost.principal == "zoe"
    assert answer.innermost.tenant == "a, b; c=d"
    alone = await stub.observe(ObserveRequest(respond={}, refuse=False))
    assert (alone.trace, alone.trace_state) == ("", "")
    assert (alone.principal, alone.tenant) == ("", "")


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
async def metadata_arrives_as_it_was_sent(stub: ConformanceStub) -> None:
    printable = "".join(map(chr, range(33, 127)))
    texts = {"x": "", "x-list": "a, b,c", "x-all": f"{printable} {printable}", ".": "1", "_-": "2"}
    data = {"x-bin": b"", "x-all-bin": bytes(range(256)), "-bin": b"a,b"}
    seen = await stub.observe(
        ObserveRequest(respond=texts, refuse=False), metadata=(sent := Metadata({**texts, **data}))
    )
    assert seen.metadata == texts
    assert seen.binary_metadata == data
    assert sent.received == texts


@check
async def all_that_may_travel_arrives_at_once(stub: ConformanceStub) -> None:
    sent = Metadata({"x-much": "y" * 4_000})
    padded = signed_in("zoe", padding="z" * 2_750)
    assert len(padded.token) > 3_900
    with call_scope(principal=padded, baggage={TENANT: "t" * 2_000}):
        seen = await stub.observe(
            ObserveRequest(respond={"x-much": "y" * 950}, refuse=False), metadata=sent
        )
    assert seen.metadata == sent.sent
    assert (seen.principal, len(seen.tenant)) == ("zoe", 2_000)
    assert sent.received == {"x-much": "y" * 950}


@check
async def what_a_callee_said_of_a_call_that_it_did_not_end_is_lost(stub: ConformanceStub) -> None:
    metadata = Metadata()
    request = ObserveRequest(respond={"x-served-by": "me"}, refuse=False, wait=LONG)
    error = await failure_of(stub.observe(request, timeout=0.2, metadata=metadata))
    assert error.code is Code.DEADLINE_EXCEEDED
    assert metadata.received == {}


@check
async def metadata_that_cannot_travel_is_refused_at_once(stub: ConformanceStub) -> None:
    del stub
    for key, value in (
        ("X-Upper", "a"),
        ("x-data-bin", "text"),
        ("x-text", b"bytes"),
        ("x-text", "grüße"),
        ("x-text", "two\nlines"),
        ("x-text", " space"),
        ("x-text", "\ud800"),
        ("x-text", "long" * 2_000),
        ("grpc-timeout", "1S"),
        ("te", "trailers"),
        ("authorization", "Bearer a.b.c"),
        ("seam-caller", "orders"),
        ("content-type", "text/plain"),
        ("", "a"),
        ("\ud800", "a"),
    ):
        try:
            Metadata({key: value})
        except InvalidField:
            continue
        raise AssertionError(f"{key!a}: {value!a} was accepted")


@check
async def a_scope_that_cannot_travel_is_refused_at_once(stub: ConformanceStub) -> None:
    del stub
    for scope in (
        {"principal": Principal("zoe", frozenset(), "")},
        {"principal": claimed("\ud800")},
        {"principal": claimed("two words")},
        {"principal": claimed("line\r\nx: y")},
        {"principal": claimed("z" * 5_000)},
        {"traceparent": "no trace"},
        {"traceparent": f"{TRACE}\r\nx: y"},
        {"traceparent": TRACE, "tracestate": "no state"},
        {"traceparent": TRACE, "tracestate": "a=1\r\nx: y"},
        {"traceparent": TRACE, "tracestate": "a=\ud800"},
        {"traceparent": TRACE, "tracestate": "a=1," * 200},
        {"baggage": {TENANT: "\ud800"}},
        {"baggage": {TENANT: "long" * 1_000}},
    ):
        try:
            with call_scope(**scope):
                pass
        except InvalidField:
            continue
        raise AssertionError(f"{scope!a} was accepted")
