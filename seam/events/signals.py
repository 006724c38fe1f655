"""Tells the relays of this process that there is something to deliver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_listening: Final[defaultdict[str, set[Callable[[], object]]]] = defaultdict(set)


def wake(service: str) -> None:
    """Say that a service has published something."""
    for listener in tuple(_listening.get(service, ())):
        listener()


@contextmanager
def listening(service: str, listener: Callable[[], object]) -> Iterator[None]:
    """Let `listener` hear when a service has published, until the block ends.

    What other processes publish is not heard.
    """
    _listening[service].add(listener)
    try:
        yield
    finally:
        _listening[service].discard(listener)
