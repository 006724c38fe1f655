"""The keys of all replicas, as the database has them, and the tokens that they sign.

Each replica reads them anew every half minute, far more often than a key is announced before it
signs. Of several that find one to be due, one writes it: a generation is taken once.
"""

from __future__ import annotations

import logging
from typing import Final

from seam.persistence import Database
from services.authentication.domain.clock import SECOND, Clock
from services.authentication.persistence.signing_keys import SigningKeyRepository, StoredKey
from services.authentication.records.api import JsonWebKeySet
from services.authentication.signing.access_token import Bearer, access_token
from services.authentication.signing.key_ring import (
    SigningKey,
    is_due,
    next_key,
    published,
    signing_key,
)
from services.authentication.signing.sealing import CannotUnsealError, Sealing

log = logging.getLogger(__name__)

_READ_EVERY: Final = 30 * SECOND


class KeyStore:
    """The keys that sign tokens."""

    def __init__(self, database: Database, sealing: Sealing, clock: Clock) -> None:
        """Keep keys in `database`, sealed by `sealing`, by the time of `clock`."""
        self._database = database
        self._sealing = sealing
        self._clock = clock
        self._keys: tuple[SigningKey, ...] = ()
        self._read_at = 0

    async def access_token(self, bearer: Bearer) -> str:
        """Make an access token for somebody."""
        now = self._clock()
        return access_token(bearer, signing_key(await self._current(now), now), now)

    async def key_set(self) -> JsonWebKeySet:
        """The public keys that tokens are verified with."""
        now = self._clock()
        keys = published(await self._current(now), now)
        return JsonWebKeySet(keys=tuple(key.public for key in keys))

    async def look_after(self) -> None:
        """Make the next key if it is due, and delete those that are published no longer.

        Raises:
            CannotUnsealError: the keys are sealed by another key.
        """
        now = self._clock()
        keys = await self._read()
        if is_due(keys, now):
            await SigningKeyRepository(self._database).add(self._stored(next_key(keys, now)))
            keys = await self._read()
        kept = published(keys, now)
        gone = [key.generation for key in keys if key not in kept]
        if gone:
            await SigningKeyRepository(self._database).remove(gone)
        self._keys, self._read_at = kept, now

    async def rotate(self, *, at_once: bool) -> SigningKey:
        """Make the next key before it is due.

        Args:
            at_once: it signs from now on, and all others are deleted: their tokens hold no longer.
        """
        now = self._clock()
        async with self._database.transaction() as transaction:
            repository = SigningKeyRepository(transaction)
            keys = tuple(self._opened(key) for key in await repository.all())
            new = next_key(keys, now)
            if at_once:
                new = SigningKey(new.generation, new.private, now)
                await repository.remove([key.generation for key in keys])
            if not await repository.add(self._stored(new)):
                raise RuntimeError("another key was made in this moment; try again")
        return new

    async def _current(self, now: int) -> tuple[SigningKey, ...]:
        if not self._read_at <= now < self._read_at + _READ_EVERY:
            try:
                self._keys = await self._read()
            except CannotUnsealError as error:
                # Somebody has given another process a key to seal with, and not this one.
                if not self._keys:
                    raise
                log.error("%s: going on with those that are known", error)  # noqa: TRY400
            self._read_at = now
        return self._keys

    async def _read(self) -> tuple[SigningKey, ...]:
        stored = await SigningKeyRepository(self._database).all()
        known = {key.generation: key for key in self._keys}
        # To open a key and to find its identity takes longer than to read it.
        return tuple(known.get(each.generation) or self._opened(each) for each in stored)

    def _opened(self, stored: StoredKey) -> SigningKey:
        private = self._sealing.open(stored.generation, stored.private)
        return SigningKey(stored.generation, private, stored.signs_from)

    def _stored(self, key: SigningKey) -> StoredKey:
        return StoredKey(
            key.generation, self._sealing.seal(key.generation, key.private), key.signs_from
        )
