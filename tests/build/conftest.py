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
        ignore=_besides,
    )
    return copy


def _besides(folder: str, names: list[str]) -> set[str]:
    """What a sandbox or a checkout holds besides."""
    besides = shutil.ignore_patterns(".*", "*.pex", "__pycache__", "dist", "node_modules")
    # By which npm installs.
    return set(besides(folder, names)) - {".npmrc"}
