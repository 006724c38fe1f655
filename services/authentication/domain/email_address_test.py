from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seam.contract import InvalidField
from services.authentication.domain.email_address import MAXIMUM_LENGTH, read_email_address


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.org",
        "a@b",
        "o'neil+shop@mail.example-1.org",
        "änn@exämple.org",
        f"{'a' * 64}@{'b' * 185}.org",
    ],
)
def test_an_address_is_shown_as_it_was_given(text: str) -> None:
    assert read_email_address(text).shown == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@example.org", "ANN@Example.ORG"),
        ("ÄNN@example.org", "a\u0308nn@example.org"),
        ("straße@example.org", "STRASSE@example.org"),
    ],
)
def test_ways_to_write_one_address_are_the_same(one: str, other: str) -> None:
    assert read_email_address(one).key == read_email_address(other).key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "ann",
        "ann@",
        "@example.org",
        "ann@example..org",
        "ann@.org",
        "ann@-example.org",
        "ann@example.org.",
        ".ann@example.org",
        "ann.@example.org",
        "a..b@example.org",
        "ann@bob@example.org",
        "ann smith@example.org",
        " ann@example.org",
        "ann@example.org\n",
        "ann@example.org\r\nBcc: all@example.org",
        "ann\0@example.org",
        "ann@exam\u202eple.org",
        "\ud800@example.org",
        "<ann@example.org>",
        '"ann"@example.org',
        "ann@example.org,bob@example.org",
        "a" * 65 + "@example.org",
        "a@" + "b" * MAXIMUM_LENGTH,
        "a" * 10**6,
    ],
)
def test_what_is_no_address_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_email_address(text)
    assert caught.value.path == "email"
    assert len(str(caught.value)) < 200


@given(st.text(max_size=300) | st.emails())
def test_what_is_read_can_be_stored_and_is_read_the_same_again(text: str) -> None:
    try:
        read = read_email_address(text)
    except InvalidField:
        return
    for each in read:
        assert len(each) <= MAXIMUM_LENGTH
        assert "\0" not in each.encode().decode()
    assert read_email_address(read.shown) == read


@given(st.emails())
def test_usual_addresses_are_addresses(text: str) -> None:
    usual = set("abcdefghijklmnopqrstuvwxyz0123456789.@-_+").issuperset(text.lower())
    if usual and len(text) <= MAXIMUM_LENGTH:
        assert read_email_address(text).key == text.casefold()
