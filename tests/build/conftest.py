from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, in which crimes and mistakes do no harm."""
    copy = tmp_path_factory.mktemp("boundaries") / "repository"
    shutil.copytree(
        Path.cwd(),
        copy,
        symlinks=True,
        # What a sandbox or a checkout holds besides.
        ignore=shutil.ignore_patterns(".*", "*.pex", "__pycache__", "dist", "node_modules"),
    )
    return copy
