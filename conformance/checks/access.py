"""Who may call what, and what proves it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable

from conformance.check import check
from conformance.issuer import signed_in, token
from conformance.requests import events, failure_of
from conformance.v1.conformance import EnterRequest, EnterResponse, ObserveRequest, RelayRequest
from conformance.v1.conformance_bus import ConformanceStub
from seam.call.context import call_scope
from seam.call.principal import Principal, claimed
from seam.contract.errors import Code

_OBSERVE = ObserveRequest(respond={}, refuse=False)


@check
async def a_public_method_takes_calls_of_everyone(stub: ConformanceStub) -> None:
    assert (await stub.observe(_OBSERVE)).principal == ""
    with call_scope(principal=signed_in("zoe", ["agent"])):
        assert (await stub.observe(_OBSERVE)).principal == "zoe"


@check
async def who_is_signed_in_is_let_in_and_nobody_else(stub: ConformanceStub) -> None:
    key = uuid.uuid4().hex
    request = EnterRequest(key=key)
    for call in (stub.enter_signed_in(request), _first(stub.watch_signed_in(request))):
        assert (await failure_of(call)).code is Code.UNAUTHENTICATED
    assert await events(stub, key) == {}
    with call_scope(principal=signed_in("zoe")):
        assert (await stub.enter_signed_in(request)).principal == "zoe"
        assert (await _first(stub.watch_signed_in(request))).principal == "zoe"


@check
async def one_of_the_roles_is_enough_and_none_is_not(stub: ConformanceStub) -> None:
    request = EnterRequest(key="")
    assert (await failure_of(stub.enter_with_role(request))).code is Code.UNAUTHENTICATED
    for roles in ((), ("customer",), ("Agent",), ("agents",)):
        with call_scope(principal=signed_in("zoe", roles)):
            assert (await failure_of(stub.enter_with_role(request))).code is Code.PERMISSION_DENIED
    with call_scope(principal=signed_in("zoe", ["customer", "clerk"])):
        assert (await stub.enter_with_role(request)).roles == ("clerk", "customer")


@check
async def what_is_for_services_is_closed_to_all_others(stub: ConformanceStub) -> None:
    key = uuid.uuid4().hex
    request = EnterRequest(key=key)

    async def denied(call: Awaitable[object]) -> None:
        assert (await failure_of(call)).code is Code.PERMISSION_DENIED

    await denied(stub.enter_as_service(request))
    await denied(_first(stub.meet_as_service(_once(request))))
    with call_scope(principal=signed_in("orders", ["orders", "agent"])):
        await denied(stub.enter_as_service(request))
    assert await events(stub, key) == {}


@check
async def a_service_is_let_in_by_its_name_whoever_asks(stub: ConformanceStub) -> None:
    request = RelayRequest(span=None, limit=None, depth=2, key="", enter=True)
    answer = await stub.relay(request)
    assert answer.innermost is not None
    assert answer.entered == EnterResponse(principal="", roles=(), caller="conformance")
    assert answer.innermost.caller == "conformance"
    with call_scope(principal=signed_in("zoe")):
        entered = (await stub.relay(request)).entered
    assert entered == EnterResponse(principal="zoe", roles=(), caller="conformance")
    assert (await stub.observe(_OBSERVE)).caller == ""


@check
async def a_principal_says_what_its_token_says_and_nothing_else(stub: ConformanceStub) -> None:
    told = Principal("root", frozenset({"agent"}), token("zoe", ["customer"]))
    with call_scope(principal=told):
        assert (await stub.observe(_OBSERVE)).principal == "zoe"
        entered = await stub.enter_signed_in(EnterRequest(key=""))
        assert (entered.principal, entered.roles) == ("zoe", ("customer",))
        refused = await failure_of(stub.enter_with_role(EnterRequest(key="")))
    assert refused.code is Code.PERMISSION_DENIED


@check
async def a_token_that_is_not_good_ends_every_call(stub: ConformanceStub) -> None:
    key = uuid.uuid4().hex
    good = token("zoe")
    header, payload, signature = good.split(".")
    other = token("root", ["agent"]).split(".")[1]
    for bad in (
        "nonsense",
        f"{header}.{payload}",
        f"{header}.{other}.{signature}",
        f"{header}.{payload}.{signature[:-4]}AAAA",
        token("zoe", seconds=-3_000),
        token("zoe", nbf=9_999_999_999),
        token("zoe", iss="somebody"),
        token("zoe", aud="somebody"),
        token("zoe", header={"alg": "none", "kid": "conformance", "typ": "at+jwt"}),
        token("zoe", header={"alg": "HS256", "kid": "conformance", "typ": "at+jwt"}),
        token("zoe", header={"alg": "EdDSA", "kid": "conformance", "typ": "rt+jwt"}),
        token("zoe", header={"alg": "EdDSA", "kid": "another", "typ": "at+jwt"}),
    ):
        with call_scope(principal=claimed(bad)):
            for call in (
                stub.observe(_OBSERVE),
                stub.enter_signed_in(EnterRequest(key=key)),
                _first(stub.watch_signed_in(EnterRequest(key=key))),
            ):
                error = await failure_of(call)
                assert error.code is Code.UNAUTHENTICATED, (bad, error)
    assert await events(stub, key) == {}


@check
async def who_asks_is_the_same_all_the_way_down(stub: ConformanceStub) -> None:
    with call_scope(principal=signed_in("zoe", ["agent"])):
        answer = await stub.relay(RelayRequest(span=None, limit=None, depth=3, key=""))
    assert answer.innermost is not None
    assert answer.innermost.principal == "zoe"
    assert (await stub.observe(_OBSERVE)).principal == ""


async def _first(responses: AsyncIterator[EnterResponse]) -> EnterResponse:
    return await anext(responses)


async def _once(request: EnterRequest) -> AsyncIterator[EnterRequest]:
    yield request
