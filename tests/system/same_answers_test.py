"""A client cannot tell the topologies apart: every answer is equal, to the last JSON value."""

from __future__ import annotations

from pathlib import Path

from tests.system.topologies import TOPOLOGIES, start_shop
from tests.system.tour import tour


def test_every_topology_gives_the_same_answers(tmp_path: Path) -> None:
    answers = {}
    for name in TOPOLOGIES:
        directory = tmp_path / name
        directory.mkdir()
        shop = start_shop(name, directory)
        try:
            answers[name] = tour(shop)
        finally:
            shop.close()
    expected = answers["monolith"]
    assert len(expected) > 60
    for name, answer in answers.items():
        assert answer == expected, name
