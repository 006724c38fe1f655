"""Walks through all pages in a real browser, in one process and in many."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Protocol

import pytest

from clients.web.conftest import run_node
from tests.polyglot.node_process import NODE
from tests.system.topologies import SERVICES, Shop, start_shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE: Final = 30.0
WITHOUT_PAGES: Final = {"payments", "notifications"}


class Visit(Protocol):
    """Plays a scenario in a shop."""

    def __call__(self, shop: Shop, scenario: str, name: str, **variables: str) -> None:
        """Play it, with variables of the environment."""


@pytest.fixture(scope="module", autouse=True)
def starting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future[Shop]]:
    """The shop of many processes on its way, since it takes long, while there are tests of one."""
    with ThreadPoolExecutor(1) as pool:
        shop = pool.submit(start_shop, "split_artifacts", tmp_path_factory.mktemp("split"))
        yield shop
        shop.result().close()


@pytest.fixture(scope="module")
def split(starting: Future[Shop]) -> Shop:
    """The shop with every service in a process of its own."""
    return starting.result()


@pytest.fixture(scope="module")
def monolith(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop in one process."""
    running = start_shop("monolith", tmp_path_factory.mktemp("monolith"))
    yield running
    running.close()


@pytest.fixture
def visit(browser: Path, browser_address: str, pictures: Callable[[str], Path]) -> Visit:
    """Play scenarios of `test/browser/walk.ts`; what it is called is the folder of its pictures."""

    def play(shop: Shop, scenario: str, name: str, **variables: str) -> None:
        run_node(
            ["walk.ts", shop.url, pictures(name), scenario],
            browser,
            BROWSER=browser_address,
            **variables,
        )

    return play


def test_customers_walk_through_all_pages_of_one_process(monolith: Shop, visit: Visit) -> None:
    visit(monolith, "walk", "monolith")


def test_customers_order_by_keys_alone(monolith: Shop, visit: Visit) -> None:
    visit(monolith, "keyboard", "keyboard")


def test_light_and_dark_are_as_the_system_has_it_or_as_chosen(monolith: Shop, visit: Visit) -> None:
    visit(monolith, "theme", "theme")


def test_an_answer_that_takes_long_is_told_of(monolith: Shop, visit: Visit) -> None:
    visit(monolith, "late", "late")


def test_no_page_jumps_on_a_slow_network_and_a_slow_machine(monolith: Shop, visit: Visit) -> None:
    visit(monolith, "steady", "steady")


def test_customers_walk_through_all_pages_of_many_processes(split: Shop, visit: Visit) -> None:
    visit(split, "walk", "split", LOOKS="few")


def test_customers_are_told_what_is_refused_and_why(split: Shop, visit: Visit) -> None:
    visit(split, "refusals", "refusals")


def test_a_part_whose_service_is_away_says_so_until_it_is_back(
    split: Shop, browser: Path, browser_address: str, pictures: Callable[[str], Path]
) -> None:
    program = subprocess.Popen(
        [NODE, "walk.ts", split.url, pictures("away"), "away"],
        cwd=browser,
        env={**os.environ, "BROWSER": browser_address, "LOOKS": "few"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    stopped = set()
    try:
        for line in program.stdout:
            what, service = line.split()
            if what == "stop":
                split.kill(service)
                stopped.add(service)
            else:
                split.start(service)
                split.wait_until_ready()
            program.stdin.write("done\n")
            program.stdin.flush()
        _, problem = program.communicate(timeout=PATIENCE)
    finally:
        program.kill()
    assert program.returncode == 0, problem
    assert stopped == set(SERVICES) - WITHOUT_PAGES
