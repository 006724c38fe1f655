from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orders.domain.email_address import MAXIMUM_EMAIL_LENGTH, is_email_address


@pytest.mark.parametrize(
    "text",
    ["ann@example.com", "a@b", "ann+shop@mail.example.co", "o'neil@x-y.example", f"{'a' * 64}@b.c"],
)
def test_an_address_is_a_name_and_a_host(text: str) -> None:
    assert is_email_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@example.com",
        "ann@",
        "ann@-x",
        "ann@x..y",
        "ann@example.com\n",
        "ann@example.com\r\nBcc: eve@example.com",
        "ann@a, eve@b",
        "<ann@example.com>",
        "Ann <ann@example.com>",
        "ünn@example.com",
        "ann @example.com",
        '"a b"@example.com',
        "\ud800@example.com",
        f"{'a' * 65}@b.c",
        "a@" + ".".join(["b" * 63] * 5),
        "7" * 10_000,
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    assert not is_email_address(text)


@given(st.text())
def test_no_address_holds_what_would_end_a_line_or_begin_another_address(text: str) -> None:
    candidate = f"ann{text}@example.com"
    if is_email_address(candidate):
        assert len(candidate) <= MAXIMUM_EMAIL_LENGTH
        assert candidate.isascii()
        assert not set(candidate) & set(' ,;<>()[]\\"\r\n\0\t')
