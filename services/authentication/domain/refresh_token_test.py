from __future__ import annotations

from services.authentication.domain.refresh_token import hash_of, new_refresh_token


def test_tokens_are_256_bits_and_no_two_are_the_same() -> None:
    tokens = {new_refresh_token() for _ in range(1_000)}
    assert len(tokens) == 1_000
    assert {len(token) for token in tokens} == {43}


def test_a_hash_can_be_stored_and_says_nothing_of_the_token() -> None:
    token = new_refresh_token()
    assert token not in hash_of(token)
    assert {len(hash_of(each)) for each in (token, "", "\0", "\ud800", "ä" * 10**6)} == {64}
