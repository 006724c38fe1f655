from __future__ import annotations

from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from services.authentication.domain.clock import DAY, SECOND
from services.authentication.domain.lifetimes import (
    ACCESS_TOKEN_SECONDS,
    ANNOUNCEMENT,
    CLOCK_SKEW,
    KEY,
)
from services.authentication.signing.key_ring import (
    SigningKey,
    is_due,
    next_key,
    published,
    signing_key,
)

NOW = 1_700_000_000 * SECOND


def rotated(days: int) -> list[tuple[int, tuple[SigningKey, ...]]]:
    """The keys every five minutes, which is how often somebody looks after them."""
    keys: tuple[SigningKey, ...] = ()
    seen = []
    for number in range(12 * 24 * days):
        now = NOW + number * 300 * SECOND
        if is_due(keys, now):
            keys = (*keys, next_key(keys, now))
        keys = published(keys, now)
        seen.append((now, keys))
    return seen


def test_the_first_key_signs_at_once() -> None:
    assert is_due((), NOW)
    key = next_key((), NOW)
    assert (key.generation, key.signs_from) == (1, NOW)
    assert signing_key((key,), NOW) is key
    assert not is_due((key,), NOW)


def test_a_key_is_published_before_it_signs_and_until_its_tokens_have_expired() -> None:
    lasts = ACCESS_TOKEN_SECONDS * SECOND + CLOCK_SKEW
    old = next_key((), NOW)
    replaced = NOW + 10 * DAY
    new = next_key((old,), replaced)
    keys = (old, new)
    assert new.signs_from == replaced + ANNOUNCEMENT
    assert signing_key(keys, new.signs_from - 1) is old
    assert signing_key(keys, new.signs_from) is new
    assert published(keys, replaced) == keys
    assert published(keys, new.signs_from + lasts - 1) == keys
    assert published(keys, new.signs_from + lasts) == (new,)


def test_a_key_signs_for_a_month_and_every_token_can_be_verified_until_it_expires() -> None:
    times = rotated(65)
    signing = [signing_key(keys, now) for now, keys in times]
    assert len({key.generation for key in signing}) == 3
    expiring = times[ACCESS_TOKEN_SECONDS // 300 :]
    for signed_by, (_, keys) in zip(signing, expiring, strict=False):
        assert signed_by in keys
    # Who verifies has each key before it signs.
    for (_, known), (now, keys) in pairwise(times):
        assert signing_key(keys, now) in known
    assert all(len(keys) <= 2 for _, keys in times)


@given(st.lists(st.integers(-400 * DAY, 400 * DAY), max_size=8))
def test_a_clock_that_jumps_leaves_a_key_that_signs_and_is_published(jumps: list[int]) -> None:
    keys: tuple[SigningKey, ...] = ()
    for jump in (0, *jumps, 0):
        now = NOW + jump
        if is_due(keys, now):
            keys = (*keys, next_key(keys, now))
        keys = published(keys, now)
        assert signing_key(keys, now) in keys
        assert len({key.generation for key in keys}) == len(keys)


def test_a_public_key_is_what_its_rfc_shows() -> None:
    # The key of https://www.rfc-editor.org/rfc/rfc8037#appendix-A.3.
    private = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = SigningKey(1, Ed25519PrivateKey.from_private_bytes(private), NOW).public
    assert public.x == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert public.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_key_is_due_before_the_last_one_has_signed_for_its_time() -> None:
    key = next_key((), NOW)
    assert not is_due((key,), NOW + KEY - ANNOUNCEMENT - 1)
    assert is_due((key,), NOW + KEY - ANNOUNCEMENT)


@pytest.mark.parametrize("at", [NOW, NOW + 400 * DAY])
def test_where_all_keys_are_of_the_future_the_first_of_them_signs(at: int) -> None:
    key = next_key((), NOW + 1_000 * DAY)
    assert signing_key((key,), at) is key
