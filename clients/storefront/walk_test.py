"""A walk through all pages in a real browser, in one process and in many."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from clients.web.conftest import run_node
from tests.polyglot.node_process import NODE
from tests.system.topologies import Shop, start_shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 60.0


@pytest.fixture(scope="module")
def monolith(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop in one process."""
    running = start_shop("monolith", tmp_path_factory.mktemp("monolith"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop with every service in a process of its own."""
    running = start_shop("split_artifacts", tmp_path_factory.mktemp("split"))
    yield running
    running.close()


def test_customers_walk_through_all_pages_of_one_process(
    monolith: Shop, browser: Path, pictures: Callable[[str], Path]
) -> None:
    run_node(["walk.ts", monolith.url, pictures("monolith"), "walk"], browser)


def test_customers_walk_through_all_pages_of_many_processes(
    split: Shop, browser: Path, pictures: Callable[[str], Path]
) -> None:
    run_node(["walk.ts", split.url, pictures("split"), "walk"], browser)


def test_a_slow_network_is_told_of(
    monolith: Shop, browser: Path, pictures: Callable[[str], Path]
) -> None:
    run_node(["walk.ts", monolith.url, pictures("slow"), "slow"], browser)


def test_a_part_whose_service_is_away_says_so_until_it_is_back(
    split: Shop, browser: Path, pictures: Callable[[str], Path]
) -> None:
    program = subprocess.Popen(
        [NODE, "walk.ts", split.url, pictures("away"), "away"],
        cwd=browser,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    try:
        heard = program.stdout.readline()
        if heard == "open\n":
            split.kill("inventory")
            program.stdin.write("stopped\n")
            program.stdin.flush()
            heard = program.stdout.readline()
            split.start("inventory")
            split.wait_until_ready()
        _, problem = program.communicate("back\n", timeout=PATIENCE)
    finally:
        program.kill()
    assert heard == "seen\n", problem
    assert program.returncode == 0, problem
