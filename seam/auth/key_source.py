"""Keeps an issuer's keys: fetched off the path of calls, renewed, and kept while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextvars import Context
from time import monotonic
from typing import Final

from seam.auth.keys import KeysError, VerifyingKey, read_keys
from seam.contract.errors import Code, StatusError
from seam.outages import Outage

__all__ = ["Fetch", "KeySource"]

INTERVAL: Final = 300.0
"""Seconds after which keys are fetched again, so that a withdrawn one is not used for long."""

FETCH_TIMEOUT: Final = 5.0
"""Seconds that a fetch may take."""

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Seconds until a fetch is tried again that failed, at first and at last."""

FIRST_RESPITE: Final = 1.0
LONGEST_RESPITE: Final = 60.0
"""Seconds after a fetch in which unknown keys cause none, at first and at last: each that was in
vain makes it longer, so that invented keys cannot keep an issuer busy."""

PATIENCE: Final = 2.0
"""Seconds that a call waits for keys."""

Fetch = Callable[[], Awaitable[bytes]]
"""Gives a JSON Web Key Set. Raises `StatusError`, `OSError` or `KeysError` when it cannot."""


class KeySource:
    """The keys of one issuer.

    Attributes:
        keys: those that are known, by identifier; None until the first came.
        problem: why there are none; None when there are.
    """

    def __init__(
        self,
        issuer: str,
        fetch: Fetch,
        algorithms: Collection[str],
        *,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep the keys that `fetch` gives.

        Args:
            issuer: what the log calls it.
            fetch: gives them.
            algorithms: those that the issuer may use.
            on_change: is told when keys are not the same any more.
        """
        self.keys: Mapping[str, VerifyingKey] | None = None
        self.problem: str | None = "its keys were not fetched yet"
        self.on_change = on_change
        self._issuer = issuer
        self._fetch = fetch
        self._algorithms = frozenset(algorithms)
        self._outage = Outage(f"the issuer {issuer}")
        self._fetching: asyncio.Task[None] | None = None
        self._respite = FIRST_RESPITE
        self._next_search = -1.0

    async def find(self, identifier: str) -> VerifyingKey | None:
        """The key with this identifier, which may be a new one; None when the issuer has none.

        Raises:
            StatusError: UNAVAILABLE, because no keys are known.
        """
        key = self._known(identifier)
        if key is None and monotonic() >= self._next_search:
            await self._wait()
            key = self._known(identifier)
            if key is None:
                self._next_search = monotonic() + self._respite
                self._respite = min(self._respite * 2, LONGEST_RESPITE)
            else:
                self._respite = FIRST_RESPITE
        if self.keys is None:
            raise StatusError(Code.UNAVAILABLE, "tokens cannot be verified at present")
        return key

    async def keep(self) -> None:
        """Fetch the keys, and again from time to time, until cancelled."""
        pause = FIRST_PAUSE
        while True:
            await asyncio.wait([self._start()])
            if self._outage.away:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                pause = FIRST_PAUSE
                await asyncio.sleep(INTERVAL)

    def _known(self, identifier: str) -> VerifyingKey | None:
        return None if self.keys is None else self.keys.get(identifier)

    async def _wait(self) -> None:
        await asyncio.wait([self._start()], timeout=PATIENCE)

    def _start(self) -> asyncio.Task[None]:
        """Begin to fetch, unless that is under way. It belongs to no call, and ends with none."""
        if self._fetching is None or self._fetching.done():
            loop = asyncio.get_running_loop()
            self._fetching = loop.create_task(self._renew(), context=Context())
        return self._fetching

    async def _renew(self) -> None:
        try:
            async with asyncio.timeout(FETCH_TIMEOUT):
                keys = read_keys(await self._fetch(), self._algorithms)
        except (StatusError, OSError, KeysError) as error:
            reason = str(error) or "no answer in time"
            self._outage.failed(f"its keys cannot be fetched: {reason}")
            if self.keys is None:
                self.problem = "its keys cannot be fetched"
            return
        if self._outage.away:
            self._outage.answered()
        self.problem = None
        before, self.keys = self.keys, keys
        if before is None or _fingerprints(before) != _fingerprints(keys):
            self.on_change()


def _fingerprints(keys: Mapping[str, VerifyingKey]) -> dict[str, str]:
    return {identifier: key.fingerprint for identifier, key in keys.items()}
