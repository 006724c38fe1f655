from __future__ import annotations

from pathlib import Path

from tests.faults.harness import play_as_in_tests


async def test_every_order_ends_and_the_books_balance_whatever_goes_wrong(tmp_path: Path) -> None:
    wrong, told = await play_as_in_tests("monolith_sqlite", tmp_path)
    assert not wrong, "\n".join([*wrong[:20], *told])
