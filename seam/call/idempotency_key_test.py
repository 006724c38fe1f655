from __future__ import annotations

import math

import pytest

from seam.call import CallContext, current_call, idempotency_key
from seam.contract import Code, InvalidArgumentError


def asked_with(metadata: dict[str, str | bytes]) -> str:
    token = current_call.set(CallContext(math.inf, metadata=metadata))
    try:
        return idempotency_key()
    finally:
        current_call.reset(token)


@pytest.mark.parametrize("key", ["1", "a key", '"quoted"', "x" * 255, "~!"])
def test_the_key_is_what_the_caller_sent(key: str) -> None:
    assert asked_with({"idempotency-key": key}) == key


@pytest.mark.parametrize("key", ["", " ", " a", "a ", "ä", "a\tb", "a\n", "x" * 256, b"a"])
def test_what_is_no_key_is_refused_with_what_was_expected(key: str | bytes) -> None:
    with pytest.raises(
        InvalidArgumentError, match="not a key; expected 1 to 255 printable"
    ) as caught:
        asked_with({"idempotency-key": key})
    assert caught.value.code is Code.INVALID_ARGUMENT
    assert caught.value.field.path == "idempotency-key"


def test_a_call_without_a_key_is_told_which_one_is_missing() -> None:
    with pytest.raises(InvalidArgumentError, match="idempotency-key: missing"):
        asked_with({})
    with pytest.raises(InvalidArgumentError, match="idempotency-key: missing"):
        idempotency_key()
