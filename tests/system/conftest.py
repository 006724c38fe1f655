from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.topologies import TOPOLOGIES, Shop, start_shop


@pytest.fixture(scope="session", params=TOPOLOGIES)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """The shop in each topology; tests share it, so each looks after what it changes."""
    running = start_shop(request.param, tmp_path_factory.mktemp(request.param))
    yield running
    running.close()
