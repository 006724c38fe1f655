from __future__ import annotations

import asyncio
import time

import pytest

from seam.auth import key_source, verifier
from seam.auth.key_source import KeySource
from seam.auth.verifier import TokenVerifier
from seam.contract import Code, StatusError
from seam.testing.issuer import SHOP, TestIssuer


class Clock:
    """A clock that jumps."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


async def refused(authenticator: TokenVerifier, token: str) -> StatusError:
    with pytest.raises(StatusError) as caught:
        await authenticator.verify(token)
    return caught.value


async def test_a_verified_token_is_remembered_until_it_expires() -> None:
    issuer, clock = TestIssuer(), Clock()
    authenticator = issuer.authenticator(now=clock)
    token = issuer.token("zoe", seconds=100)
    assert authenticator.known(token) is None
    principal = await authenticator.verify(token)
    assert authenticator.known(token) is principal
    clock.now += 140
    assert authenticator.known(token) is None
    error = await refused(authenticator, token)
    assert (error.code, error.message) == (Code.UNAUTHENTICATED, "the token has expired")


async def test_a_clock_that_jumps_is_believed_each_time() -> None:
    issuer, clock = TestIssuer(), Clock()
    authenticator = issuer.authenticator(now=clock)
    token = issuer.token()
    await authenticator.verify(token)
    clock.now -= 86_400
    assert authenticator.known(token) is None
    assert (await refused(authenticator, token)).message == "the token does not hold yet"
    clock.now += 86_400
    assert (await authenticator.verify(token)).subject == "zoe"
    clock.now += 86_400
    assert authenticator.known(token) is None


async def test_what_is_remembered_is_bounded_and_what_is_used_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verifier, "REMEMBERED", 3)
    issuer = TestIssuer()
    authenticator = issuer.authenticator()
    tokens = [issuer.token(f"user{number}") for number in range(50)]
    for token in tokens:
        await authenticator.verify(token)
        assert authenticator.known(tokens[0]) is not None
    remembered = [number for number, each in enumerate(tokens) if authenticator.known(each)]
    assert remembered[0] == 0
    assert 3 <= len(remembered) <= 6
    assert remembered[1:] == list(range(50 - len(remembered) + 1, 50))


async def test_a_forged_token_is_refused_each_time_and_not_remembered() -> None:
    issuer, mallory = TestIssuer(), TestIssuer()
    authenticator = issuer.authenticator()
    for _ in range(2):
        error = await refused(authenticator, mallory.token())
        assert (error.code, error.message) == (
            Code.UNAUTHENTICATED,
            "the token's signature is wrong",
        )
    assert authenticator.known(mallory.token()) is None


async def test_a_new_key_is_fetched_when_a_token_names_it() -> None:
    issuer = TestIssuer("first")
    authenticator = issuer.authenticator()
    old = issuer.token()
    await authenticator.verify(old)
    issuer.key = TestIssuer("second").key
    assert (await authenticator.verify(issuer.token("amy"))).subject == "amy"
    assert issuer.fetched == 2
    # The first key is gone, and what it has signed with it, remembered or not.
    assert authenticator.known(old) is None
    assert (await refused(authenticator, old)).code is Code.UNAUTHENTICATED


async def test_invented_keys_do_not_keep_the_issuer_busy() -> None:
    issuer = TestIssuer("first")
    authenticator = issuer.authenticator()
    await authenticator.verify(issuer.token())
    strangers = [TestIssuer(f"stranger{number}").token() for number in range(50)]
    errors = await asyncio.gather(*(refused(authenticator, token) for token in strangers))
    assert {error.code for error in errors} == {Code.UNAUTHENTICATED}
    assert issuer.fetched == 2


async def test_an_issuer_that_was_never_there_makes_tokens_unverifiable_and_not_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_source, "FIRST_RESPITE", 0.0)
    issuer = TestIssuer()
    away = True

    async def fetch() -> bytes:
        if away:
            raise StatusError(Code.UNAVAILABLE, "away")
        return await issuer.fetch()

    source = KeySource("shop", fetch, SHOP.algorithms)
    source._respite = 0.0
    authenticator = TokenVerifier(SHOP, source)
    error = await refused(authenticator, issuer.token())
    assert error.code is Code.UNAVAILABLE
    assert source.problem == "its keys cannot be fetched"
    # What is no token at all needs no key to be refused.
    assert (await refused(authenticator, "nonsense")).code is Code.UNAUTHENTICATED
    away = False
    source._next_search = 0.0
    assert (await authenticator.verify(issuer.token())).subject == "zoe"
    assert source.problem is None


async def test_the_last_good_keys_are_kept_while_the_issuer_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    issuer = TestIssuer()
    answers: list[bytes] = [issuer.jwks()]

    async def fetch() -> bytes:
        if not answers:
            raise OSError("connection refused")
        return answers.pop()

    source = KeySource("shop", fetch, SHOP.algorithms)
    authenticator = TokenVerifier(SHOP, source)
    await authenticator.verify(issuer.token())
    for nonsense in (None, b"<html>", b'{"keys":[]}'):
        if nonsense is not None:
            answers.append(nonsense)
        await asyncio.wait([source._start()])
        assert (await authenticator.verify(issuer.token("amy"))).subject == "amy"
        assert source.problem is None
    assert caplog.text.count("its keys cannot be fetched") == 1


async def test_a_fetch_that_hangs_holds_nobody_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_source, "PATIENCE", 0.05)
    issuer = TestIssuer()
    called = 0

    async def fetch() -> bytes:
        nonlocal called
        called += 1
        await asyncio.Event().wait()
        raise AssertionError

    authenticator = TokenVerifier(SHOP, KeySource("shop", fetch, SHOP.algorithms))
    errors = await asyncio.gather(*(refused(authenticator, issuer.token()) for _ in range(20)))
    assert {error.code for error in errors} == {Code.UNAVAILABLE}
    assert called == 1


async def test_keys_are_kept_fresh_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_source, "INTERVAL", 0.0)
    issuer = TestIssuer()
    enough = asyncio.Event()

    async def fetch() -> bytes:
        if issuer.fetched >= 3:
            enough.set()
        return await issuer.fetch()

    source = KeySource("shop", fetch, SHOP.algorithms)
    keeping = asyncio.create_task(source.keep())
    async with asyncio.timeout(10):
        await enough.wait()
    keeping.cancel()
    assert source.keys is not None
