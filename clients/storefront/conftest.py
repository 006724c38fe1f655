"""A folder with a browser, as npm has it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from clients.web.conftest import run_node
from tests.polyglot.node_process import NODE, NPM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE: Final = Path(__file__).parent

CLOSE_TIMEOUT: Final = 10.0


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a real browser and the program that drives it are installed."""
    folder = tmp_path_factory.mktemp("browser")
    for each in (HERE / "test/browser").iterdir():
        shutil.copy(each, folder)
    run_node([NPM, "ci"], folder)
    return folder


@pytest.fixture(scope="session")
def browser_address(browser: Path) -> Iterator[str]:
    """Where programs reach the one browser that all of them share."""
    running = subprocess.Popen(
        [NODE, "browser.ts"], cwd=browser, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        yield running.stdout.readline().strip()
        # It ends itself and the browser then.
        running.stdin.close()
        running.wait(timeout=CLOSE_TIMEOUT)
    finally:
        running.kill()
        running.stdout.close()


@pytest.fixture
def pictures() -> Callable[[str], Path]:
    """Give a folder for pictures, which Pants keeps below `dist/test/`."""

    def folder(name: str) -> Path:
        found = Path("extra-output", name).absolute()
        found.mkdir(parents=True, exist_ok=True)
        return found

    return folder
