"""A browser from npm, and what the programs here are run with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from tests.polyglot.node_process import NODE, NPM

HERE: Final = Path(__file__).parent

TIMEOUT: Final = 240.0
"""Seconds, for a browser on a machine that does other things as well."""

Look: TypeAlias = Callable[..., dict[str, Any]]
"""Runs a program here, and gives what it has seen."""


def run_node(folder: Path, *arguments: str | Path) -> str:
    """Run Node in a folder, and give what it has printed.

    Raises:
        AssertionError: it has failed.
    """
    path = os.pathsep.join((str(NODE.parent), os.environ.get("PATH", os.defpath)))
    result = subprocess.run(
        [NODE, *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="session")
def look(tmp_path_factory: pytest.TempPathFactory) -> Look:
    """Installs the browser once."""
    folder = tmp_path_factory.mktemp("browser")
    for each in (*HERE.glob("*.ts"), *HERE.glob("*.json"), HERE / ".npmrc"):
        shutil.copy(each, folder)
    run_node(folder, NPM, "ci", "--omit=dev")

    def run(program: str, *arguments: str | Path) -> dict[str, Any]:
        seen: dict[str, Any] = json.loads(run_node(folder, program, *arguments))
        return seen

    return run


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: Pants keeps them beside the reports of tests."""
    kept = Path.cwd() / "extra-output"
    return kept if kept.is_dir() else tmp_path_factory.mktemp("pictures")
