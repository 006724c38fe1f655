from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.harness import play
from tests.faults.systems import SYSTEMS

SEED = 20261124


@pytest.mark.parametrize("system", SYSTEMS)
async def test_every_order_ends_and_the_books_balance_whatever_goes_wrong(
    system: str, tmp_path: Path
) -> None:
    told: list[str] = [f"seed {SEED}"]
    wrong = await play(
        system,
        tmp_path,
        seed=SEED,
        orders=300,
        faults=14,
        at_a_time=24,
        tell=told.append,
    )
    assert not wrong, "\n".join([*wrong[:20], *told])
