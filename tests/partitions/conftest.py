from __future__ import annotations

import pytest

from tests.partitions.systems import NAMES, running
from tests.system.tour import Visited, tour


@pytest.fixture(scope="session")
def expected() -> list[Visited]:
    """What the monolith answers."""
    with running((NAMES,)) as monolith:
        answers = tour(monolith)
    assert len(answers) > 60
    return answers
