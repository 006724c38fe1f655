"""What is downloaded is pinned and hashed; where from is for each machine to say."""

from __future__ import annotations

import json
import os
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path.cwd()
# Folders that a sandbox or a checkout holds besides the repository.
NOT_OURS: Final = ("*.pex", "__pycache__", "dist", "node_modules", ".[!g]*", ".git")

# Put together here, so that this file does not name them either.
HOSTS: Final = tuple(
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("binaries", "pantsbuild", "org"),
    )
)

REQUIREMENT: Final = re.compile(r"^[A-Za-z0-9][\w.\-]*(?:\[[\w,\-]+\])?==[^\s;\\]+")


def files(*patterns: str) -> list[str]:
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not any(fnmatch(name, it) for it in NOT_OURS)]
        found += [Path(folder, name) for name in names]
    return sorted(
        path.relative_to(ROOT).as_posix()
        for path in found
        if any(path.match(pattern) for pattern in patterns)
    )


PYTHON_LOCKS: Final = files("3rdparty/*/*.lock")


def test_there_are_locks() -> None:
    assert "3rdparty/pants/pants.lock" in PYTHON_LOCKS
    assert "3rdparty/python/default.lock" in PYTHON_LOCKS


@pytest.mark.parametrize("lock", [*PYTHON_LOCKS, *files("package-lock.json")])
def test_a_lock_holds_no_download_address(lock: str) -> None:
    text = Path(lock).read_text()
    if lock.endswith(".json"):
        packages = json.loads(text)["packages"].values()
        assert [package["resolved"] for package in packages if "resolved" in package] == []
    else:
        assert [line for line in text.splitlines() if "://" in line] == []


@pytest.mark.parametrize("lock", PYTHON_LOCKS)
def test_a_lock_pins_and_hashes_every_requirement(lock: str) -> None:
    text = Path(lock).read_text()
    requirements = re.sub(r"\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    for requirement in requirements.splitlines():
        assert REQUIREMENT.match(requirement), f"not pinned: {requirement}"
        assert "--hash=sha256:" in requirement, f"not hashed: {requirement}"


@pytest.mark.parametrize("requirements", files("3rdparty/*/*.in"))
def test_every_requirements_file_has_a_lock(requirements: str) -> None:
    assert Path(requirements).with_suffix(".lock").as_posix() in PYTHON_LOCKS


def test_no_file_names_the_host_of_a_registry() -> None:
    named = [
        f"{file}: {host}"
        for file in files("*")
        for host in HOSTS
        if host.encode() in Path(file).read_bytes()
    ]
    assert named == []
