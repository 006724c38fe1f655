"""Shares work among the processes that are replicas of one service.

What is to be done once at a time, such as delivering the events of a partition, is a duty. A row of
the service's database says which process has a duty and until when; the process renews it. One that
has stopped loses its duties to the others, and each takes no more than its share.

A lease spares work and is no lock: a process that was frozen and wakes up goes on with what it was
doing. Whatever a duty does must bear being done by two at once.

A lease ends when the time in its row has come. A clock may be set back, and then that time is far
away; so a lease ends as well when it has not changed for longer than it lasts, by the clock of
whoever looks at it that is never set.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from math import ceil
from time import monotonic
from typing import Final

from seam.contract import StatusError
from seam.events.ending import end_all
from seam.events.event import microseconds
from seam.events.statements import Lease, statements_of
from seam.persistence import Database, Transaction

log = logging.getLogger(__name__)

Duty = Callable[[], Awaitable[None]]
"""Does something until it is cancelled."""

_MEMBER: Final = "member/"
"""Begins the names of leases that only tell that a process is there."""


class Leases:
    """The duties of a service, and those of them that this process has."""

    def __init__(
        self, service: str, database: Database, duties: Mapping[str, Duty], seconds: float
    ) -> None:
        """Share `duties` with other processes on `database`.

        Args:
            service: the service's name.
            database: its database.
            duties: by name. Those that are alike have a prefix in common that ends in `/`, and are
                shared out evenly.
            seconds: after which others may take over, unless a lease is renewed.
        """
        self._database = database
        self._duties = duties
        self._seconds = seconds
        self._statements = statements_of(service).lease
        self._service = service
        self._host = socket.gethostname()
        self._me = f"{self._host}/{os.getpid()}/{secrets.token_hex(8)}"
        self._running: dict[str, asyncio.Task[None]] = {}
        self._seen: dict[str, tuple[Lease, float]] = {}

    @property
    def held(self) -> frozenset[str]:
        """The duties that this process has now."""
        return frozenset(self._running)

    async def run(self) -> None:
        """Take duties, renew and give them up, until cancelled."""
        try:
            while True:
                try:
                    await self._renew()
                except StatusError as error:
                    # The database's own outage is in the log.
                    log.debug("leases of %s: %s", self._service, error)
                except Exception:
                    log.exception("cannot share the event work of %s", self._service)
                await asyncio.sleep(self._seconds / 3)
        finally:
            await self._close()

    async def _renew(self) -> None:
        now = microseconds()
        until = now + int(self._seconds * 1e6)
        member = _MEMBER + self._me
        async with self._database.transaction() as transaction:
            await transaction.execute(
                self._statements.add, name=member, holder=self._me, expires=until
            )
            await transaction.execute(self._statements.renew, me=self._me, until=until)
            leases = {each.name: each for each in await transaction.fetch_all(self._statements.all)}
            self._look(leases)
            live = await self._living(transaction, leases, now)
            mine = await self._claim(transaction, leases, now, until, members=live)
        for name in self._running.keys() - mine:
            await self._stop(name)
        for name in sorted(mine - self._running.keys()):
            self._running[name] = asyncio.create_task(
                self._fulfil(name), name=f"{name} of {self._service}"
            )
        await self._give_back(members=live)

    async def _living(self, transaction: Transaction, leases: Mapping[str, Lease], now: int) -> int:
        """Count the processes that are there, and forget those that are not."""
        live = 0
        for lease in leases.values():
            if not lease.name.startswith(_MEMBER):
                continue
            if not self._is_over(lease, now):
                live += 1
            else:
                await transaction.execute(self._statements.forget, which=lease.name)
        return max(live, 1)

    async def _claim(
        self,
        transaction: Transaction,
        leases: Mapping[str, Lease],
        now: int,
        until: int,
        *,
        members: int,
    ) -> set[str]:
        """Take what nobody has, up to this process's share."""
        mine = {name for name in self._duties if name in leases and leases[name].holder == self._me}
        counts = Counter(map(_group, mine))
        sizes = Counter(map(_group, self._duties))
        for name in self._duties:
            lease = leases.get(name)
            group = _group(name)
            if name in mine or counts[group] >= ceil(sizes[group] / members):
                continue
            if lease is None:
                taken = await transaction.execute(
                    self._statements.add, name=name, holder=self._me, expires=until
                )
            elif self._is_over(lease, now):
                taken = await transaction.execute(
                    self._statements.take,
                    which=name,
                    before=lease.holder,
                    expired=lease.expires,
                    me=self._me,
                    until=until,
                )
            else:
                continue
            if taken == 1:
                mine.add(name)
                counts[group] += 1
        return mine

    async def _give_back(self, *, members: int) -> None:
        """Give up what is more than this process's share."""
        sizes = Counter(map(_group, self._duties))
        counts = Counter(map(_group, self._running))
        for name in sorted(self._running, reverse=True):
            group = _group(name)
            if counts[group] > ceil(sizes[group] / members):
                counts[group] -= 1
                await self._stop(name)
                await self._database.execute(self._statements.release, which=name, me=self._me)

    async def _fulfil(self, name: str) -> None:
        while True:
            try:
                await self._duties[name]()
            except StatusError as error:
                # The database's own outage is in the log.
                log.debug("%s of %s: %s", name, self._service, error)
            except Exception:
                log.exception("%s of %s failed and begins again", name, self._service)
            await asyncio.sleep(1)

    async def _stop(self, name: str) -> None:
        await end_all([self._running[name]])
        del self._running[name]

    async def _close(self) -> None:
        tasks = list(self._running.values())
        self._running.clear()
        await end_all(tasks)
        # Others take over at once, if the database hears it.
        with suppress(Exception):
            async with asyncio.timeout(2), self._database.transaction() as transaction:
                await transaction.execute(self._statements.release_all, me=self._me)
                await transaction.execute(self._statements.forget, which=_MEMBER + self._me)

    def _look(self, leases: Mapping[str, Lease]) -> None:
        """Note since when each lease is as it is."""
        seen, now = self._seen, monotonic()
        self._seen = {
            name: seen[name] if name in seen and seen[name][0] == lease else (lease, now)
            for name, lease in leases.items()
        }

    def _is_over(self, lease: Lease, now: int) -> bool:
        since = self._seen[lease.name][1]
        # Half as long again: the last renewal was maybe seen as soon as it was made.
        unchanged = monotonic() - since > 1.5 * self._seconds
        return lease.expires <= now or unchanged or self._has_ended(lease.holder)

    def _has_ended(self, holder: str) -> bool:
        """Whether a holder is a process of this machine that has ended."""
        host, _, rest = holder.partition("/")
        pid = rest.partition("/")[0]
        if host != self._host or not pid.isdigit() or int(pid) == os.getpid():
            return False
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False


def _group(name: str) -> str:
    return name.rpartition("/")[0]
