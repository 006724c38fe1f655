"""Tells the relays of this process that there is something to deliver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

_listening: Final[defaultdict[str, set[Callable[[int], object]]]] = defaultdict(set)


def wake(service: str, partitions: Iterable[int]) -> None:
    """Say that a service has published events in some partitions."""
    for listener in tuple(_listening.get(service, ())):
        for partition in partitions:
            listener(partition)


@contextmanager
def listening(service: str, listener: Callable[[int], object]) -> Iterator[None]:
    """Let `listener` hear of each partition in which a service publishes, until the block ends.

    What other processes publish is not heard.
    """
    _listening[service].add(listener)
    try:
        yield
    finally:
        _listening[service].discard(listener)
