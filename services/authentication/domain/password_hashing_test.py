from __future__ import annotations

import asyncio
import threading
from typing import Literal

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from seam.contract import Code, StatusError
from services.authentication.domain import password_hashing as module
from services.authentication.domain.password_hashing import (
    MAXIMUM_WAITING,
    OWASP,
    THREADS,
    PasswordHashing,
    password_hashing,
)

QUICK = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1)


class SlowHasher(PasswordHasher):
    """Is as slow as a test lets it be, and counts."""

    def __init__(self) -> None:
        super().__init__(memory_cost=8, time_cost=1, parallelism=1)
        self.gate = threading.Event()
        self.at_once = 0
        self.most_at_once = 0
        self.done = 0
        self._lock = threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        assert self.gate.wait(30)
        with self._lock:
            self.at_once -= 1
            self.done += 1
        return super().verify(hash, password)


async def test_a_password_is_known_by_its_hash(passwords: PasswordHashing) -> None:
    hashed = await passwords.hash(b"pass\0word")
    assert hashed != await passwords.hash(b"pass\0word")
    assert await passwords.verify(hashed, b"pass\0word")
    assert not await passwords.verify(hashed, b"pass")
    assert not await passwords.verify(None, b"pass\0word")
    assert not await passwords.verify("what is no hash", b"pass\0word")


async def test_hashes_are_argon2id_with_the_parameters_of_owasp() -> None:
    async with password_hashing() as passwords:
        hashed = await passwords.hash(b"password")
        assert not passwords.is_outdated(hashed)
        assert passwords.is_outdated(QUICK.hash("password"))
    found = extract_parameters(hashed)
    assert (found.type, found.memory_cost, found.time_cost) == (Type.ID, 19 * 1024, 2)
    assert found.salt_len == 16
    assert OWASP.hash_len == 32


async def test_without_a_hash_the_same_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str | bytes] = []

    class Noting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            compared.append(hash)
            return super().verify(hash, password)

    async with password_hashing(Noting(memory_cost=64, time_cost=2, parallelism=1)) as passwords:
        hashed = await passwords.hash(b"password")
        await passwords.verify(hashed, b"other password")
        await passwords.verify(None, b"other password")
    known, decoy = (extract_parameters(str(each)) for each in compared)
    assert known == decoy


async def test_a_bounded_number_is_hashed_at_once_a_bounded_number_waits_and_the_rest_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hasher = SlowHasher()
    hashed = hasher.hash(b"password")
    async with password_hashing(hasher) as passwords:
        under_way = [
            asyncio.create_task(passwords.verify(hashed, b"password"))
            for _ in range(THREADS + MAXIMUM_WAITING)
        ]
        # They begin in the order in which they were made.
        await asyncio.sleep(0)
        with pytest.raises(StatusError) as caught:
            await passwords.verify(hashed, b"password")
        assert caught.value.code is Code.RESOURCE_EXHAUSTED
        hasher.gate.set()
        assert all(await asyncio.gather(*under_way))
        assert hasher.most_at_once <= THREADS
        assert await passwords.verify(hashed, b"password")


async def test_who_leaves_gives_the_place_back_and_no_thread_is_taken_twice() -> None:
    hasher = SlowHasher()
    hashed = hasher.hash(b"password")
    async with password_hashing(hasher) as passwords:
        leaving = [
            asyncio.create_task(passwords.verify(hashed, b"password")) for _ in range(THREADS + 5)
        ]
        await asyncio.sleep(0)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        later = asyncio.create_task(passwords.verify(hashed, b"password"))
        await asyncio.sleep(0)
        hasher.gate.set()
        assert await later
        # Those that had begun have been done; those that waited have not.
        assert hasher.done == THREADS + 1
        assert hasher.most_at_once <= THREADS


def test_the_memory_of_all_hashes_at_once_is_bounded() -> None:
    assert module.THREADS * OWASP.memory_cost * 1024 <= 40 * 2**20
