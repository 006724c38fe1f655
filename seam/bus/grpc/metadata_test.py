from __future__ import annotations

import math
from typing import Any

import pytest

from seam.bus.grpc.metadata import answered, from_wire, to_wire
from seam.call import ANONYMOUS, CallContext
from seam.call.principal import claimed


def received(*pairs: tuple[str, str | bytes]) -> CallContext:
    fields: Any = from_wire(pairs)
    return CallContext(math.inf, **fields)


def test_of_who_asks_nothing_but_the_token_travels() -> None:
    call = CallContext(math.inf, principal=claimed("a.b.c"), caller="orders")
    pairs = to_wire(call)
    assert pairs == (("authorization", "Bearer a.b.c"), ("seam-caller", "orders"))
    arrived = received(*pairs)
    assert (arrived.principal, arrived.caller) == (claimed("a.b.c"), "orders")
    assert arrived.metadata == {}
    assert to_wire(CallContext(math.inf)) is None


@pytest.mark.parametrize(
    ("sent", "token"),
    [
        ((), ""),
        (("Bearer a",), "a"),
        (("",), ""),
        (("bearer a",), "bearer a"),
        (("Basic em9l",), "Basic em9l"),
        (("Bearer a", "Bearer b"), "a, b"),
        (("Bearer a", ""), "a, "),
    ],
)
def test_what_is_no_token_is_handed_on_to_be_refused(sent: tuple[str, ...], token: str) -> None:
    call = received(*(("authorization", each) for each in sent))
    assert call.principal.token == token
    assert (call.principal == ANONYMOUS) == (token == "")


def test_what_a_callee_answers_holds_no_proof_of_a_caller() -> None:
    pairs = (("authorization", "Bearer a"), ("seam-caller", "orders"), ("x-own", "1"))
    assert answered(pairs) == {"x-own": "1"}
