"""A browser from npm, and what the programs here are run with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from tests.polyglot.node_process import NODE, NPM

HERE: Final = Path(__file__).parent

TIMEOUT: Final = 240.0
"""Seconds, for a browser on a machine that does other things as well."""

Look: TypeAlias = Callable[..., dict[str, Any]]
"""Runs a program here, and gives what it has seen."""


def begin_node(folder: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    """Have Node run in a folder."""
    path = os.pathsep.join((str(NODE.parent), os.environ.get("PATH", os.defpath)))
    return subprocess.Popen(
        [NODE, *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def printed(process: subprocess.Popen[str]) -> str:
    """What a process has printed, once it has ended.

    Raises:
        AssertionError: it has failed.
    """
    try:
        output, errors = process.communicate(timeout=TIMEOUT)
    finally:
        process.kill()
    assert process.returncode == 0, f"{output}\n{errors}"
    return output


@pytest.fixture(scope="session")
def look(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Look]:
    """Installs the browser once, while tests prepare what it is to look at."""
    folder = tmp_path_factory.mktemp("browser")
    for each in (*HERE.glob("*.ts"), *HERE.glob("*.json"), HERE / ".npmrc"):
        shutil.copy(each, folder)
    installing = begin_node(folder, NPM, "ci", "--omit=dev")
    installed: list[str] = []

    def run(program: str, *arguments: str | Path) -> dict[str, Any]:
        if not installed:
            installed.append(printed(installing))
        seen: dict[str, Any] = json.loads(printed(begin_node(folder, program, *arguments)))
        return seen

    yield run
    installing.kill()
    installing.wait()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: Pants keeps them beside the reports of tests."""
    kept = Path.cwd() / "extra-output"
    return kept if kept.is_dir() else tmp_path_factory.mktemp("pictures")
