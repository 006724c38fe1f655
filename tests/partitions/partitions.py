"""The ways of cutting a system into processes: the set partitions of its services.

How many there are is the Bell number, https://oeis.org/A000110: 52 for five services.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TypeAlias

Partition: TypeAlias = tuple[tuple[str, ...], ...]
"""The services of each process."""


def all_partitions(services: Sequence[str]) -> Iterator[Partition]:
    """Every way of putting services into processes, the monolith first."""
    if not services:
        yield ()
        return
    *others, last = services
    for partition in all_partitions(others):
        for place, block in enumerate(partition):
            yield (*partition[:place], (*block, last), *partition[place + 1 :])
        yield (*partition, (last,))


def each_alone(services: Sequence[str]) -> Iterator[Partition]:
    """Each service broken out of the rest."""
    return _broken_out(services, 1)


def each_pair(services: Sequence[str]) -> Iterator[Partition]:
    """Each two services broken out together."""
    return _broken_out(services, 2)


def all_apart(services: Sequence[str]) -> Partition:
    """Every service in a process of its own."""
    return tuple((name,) for name in services)


def _broken_out(services: Sequence[str], size: int) -> Iterator[Partition]:
    for out in combinations(services, size):
        yield (tuple(name for name in services if name not in out), out)
