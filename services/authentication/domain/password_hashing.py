"""Hashes of passwords, made and compared beside the event loop.

Argon2id, https://www.rfc-editor.org/rfc/rfc9106. It is slow and takes memory on purpose, so a few
threads do it, a bounded number waits for them, and what is beyond that is refused: neither time nor
memory of the process is at the mercy of who sends passwords.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from seam.contract import Code, StatusError

T = TypeVar("T")

OWASP: Final = PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)
"""Source: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html."""

THREADS: Final = 2
"""How many hashes are made at once, each in 19 MiB."""

MAXIMUM_WAITING: Final = 64
"""How many passwords wait: about half a second of work."""


class PasswordHashing:
    """Makes hashes of passwords, and compares passwords with them."""

    def __init__(self, hasher: PasswordHasher, pool: ThreadPoolExecutor) -> None:
        """Work with `hasher` in the `THREADS` threads of `pool`."""
        self._hasher = hasher
        self._pool = pool
        self._free = asyncio.Semaphore(THREADS)
        self._waiting = 0
        # Of a password that nobody knows: what is compared where there is no account.
        self._decoy = pool.submit(hasher.hash, secrets.token_bytes(32))

    async def hash(self, password: bytes) -> str:
        """Make the hash of a password.

        Raises:
            StatusError: RESOURCE_EXHAUSTED, as too many passwords wait.
        """
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, hashed: str | None, password: bytes) -> bool:
        """Whether a hash is that of a password; without a hash it takes as long to say no.

        Raises:
            StatusError: RESOURCE_EXHAUSTED, as too many passwords wait.
        """

        def compare() -> bool:
            try:
                self._hasher.verify(hashed or self._decoy.result(), password)
            except (VerificationError, InvalidHashError):
                return False
            return hashed is not None

        return await self._run(compare)

    def is_outdated(self, hashed: str) -> bool:
        """Whether a hash was made with other parameters than are made now."""
        return self._hasher.check_needs_rehash(hashed)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._free.locked() and self._waiting >= MAXIMUM_WAITING:
            raise StatusError(Code.RESOURCE_EXHAUSTED, "too many passwords wait; try again")
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        running = asyncio.get_running_loop().run_in_executor(self._pool, work)
        # Who waited may leave; the thread is taken until it is done.
        running.add_done_callback(lambda _: self._free.release())
        return await asyncio.shield(running)


@asynccontextmanager
async def password_hashing(hasher: PasswordHasher = OWASP) -> AsyncIterator[PasswordHashing]:
    """Hash passwords until the block ends.

    Args:
        hasher: how they are hashed.
    """
    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
    try:
        yield PasswordHashing(hasher, pool)
    finally:
        await asyncio.to_thread(pool.shutdown)
