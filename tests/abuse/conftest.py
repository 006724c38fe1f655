from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.abuse.stolen_key import StolenKey
from tests.system.topologies import Shop, start_shop

ATTACKED: Final = ("monolith", "split_over_nats")


@dataclass(frozen=True)
class Attacked:
    """A running shop, and what an attacker has of it.

    Attributes:
        shop: the shop.
        directory: where its processes keep their logs.
        key: the key by which it signs tokens, to make what only its owner could make.
    """

    shop: Shop
    directory: Path
    key: StolenKey

    def logs(self) -> str:
        """What all processes have written to their logs."""
        return "\n".join(path.read_text() for path in self.directory.glob("*/log.txt"))


def _attacked(topology: str, directory: Path) -> Iterator[Attacked]:
    shop = start_shop(topology, directory)
    try:
        yield Attacked(shop, directory, StolenKey(directory / "data" / "authentication.db", shop))
    finally:
        shop.close()


@pytest.fixture(scope="session")
def monolith(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """The shop in one process; tests share it, and each attacks with accounts of its own."""
    yield from _attacked("monolith", tmp_path_factory.mktemp("monolith"))


@pytest.fixture(scope="module", params=ATTACKED)
def attacked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Attacked]:
    """The shop in one process, and cut into several."""
    yield from _attacked(request.param, tmp_path_factory.mktemp(request.param))
