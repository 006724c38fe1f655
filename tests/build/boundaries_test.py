"""Commits each forbidden import in a copy of the repository and expects Pants to refuse it.

The rules are in services/BUILD, seam/BUILD and director/BUILD.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

CART: Final = "services/shopping_cart"
INVENTORY: Final = "services/inventory"

IN_A_HANDLER: Final = f"{CART}/messagebus/crime.py"
IN_A_TEST: Final = f"{CART}/messagebus/crime_test.py"
IN_THE_SEAM: Final = "seam/crime.py"
IN_THE_DIRECTOR: Final = "director/crime.py"


@dataclass(frozen=True)
class Crime:
    """A forbidden import.

    Attributes:
        scene: the file that imports.
        victim: the file or generated target that it must not import.
    """

    scene: str
    victim: str


def first_module(folder: str) -> str:
    """Names a module of the folder, whichever modules it holds today."""
    modules = sorted(
        path.as_posix()
        for path in Path(folder).glob("*.py")
        if path.stem not in ("__init__", "conftest") and not path.stem.endswith("_test")
    )
    assert modules, f"{folder} holds no modules to import"
    return modules[0]


CRIMES: Final = {
    "A service does not import another's persistence": Crime(
        IN_A_HANDLER, first_module(f"{INVENTORY}/persistence")
    ),
    "A service does not import another's routes": Crime(
        IN_A_HANDLER, first_module(f"{INVENTORY}/api")
    ),
    "A service does not import another's handlers": Crime(
        IN_A_HANDLER, first_module(f"{INVENTORY}/messagebus")
    ),
    "A service does not import another's composition root": Crime(
        IN_A_HANDLER, f"{INVENTORY}/service.py"
    ),
    "A service does not import what is generated for another's clients": Crime(
        IN_A_HANDLER, f"{INVENTORY}/records:api"
    ),
    "A service does not import protobuf messages": Crime(
        IN_A_HANDLER, "protos/inventory/v1:messagebus"
    ),
    "A service does not import mocks": Crime(IN_A_HANDLER, f"{INVENTORY}/records:messagebus_mock"),
    "A service does not import what is for tests": Crime(
        IN_A_HANDLER, first_module("seam/testing")
    ),
    "A service does not import the director": Crime(IN_A_HANDLER, "director/monolith.py"),
    "A service does not import the generators": Crime(IN_A_HANDLER, "codegen/python/records.py"),
    "A service's test does not import another's persistence": Crime(
        IN_A_TEST, first_module(f"{INVENTORY}/persistence")
    ),
    "A service's test does not import what is generated for another's clients": Crime(
        IN_A_TEST, f"{INVENTORY}/records:api"
    ),
    "A service's test does not import the director": Crime(IN_A_TEST, "director/monolith.py"),
    "The seam does not import a service": Crime(IN_THE_SEAM, f"{INVENTORY}/service.py"),
    "The seam does not import what is generated for a service": Crime(
        IN_THE_SEAM, f"{INVENTORY}/records:messagebus"
    ),
    "The seam does not import the director": Crime(IN_THE_SEAM, "director/monolith.py"),
    "The seam does not import what is for tests": Crime(IN_THE_SEAM, first_module("seam/testing")),
    "The director does not import a service's persistence": Crime(
        IN_THE_DIRECTOR, first_module(f"{INVENTORY}/persistence")
    ),
    "The director does not import a service's routes": Crime(
        IN_THE_DIRECTOR, first_module(f"{INVENTORY}/api")
    ),
    "The director does not import a service's handlers": Crime(
        IN_THE_DIRECTOR, first_module(f"{INVENTORY}/messagebus")
    ),
    "The director does not import a service's records": Crime(
        IN_THE_DIRECTOR, f"{INVENTORY}/records:messagebus"
    ),
}

LAWFUL: Final = {
    f"{CART}/messagebus/lawful.py": (
        f"{INVENTORY}/records:messagebus",
        first_module(f"{CART}/persistence"),
        f"{CART}/records:api",
        "protos/contract/v1:money_records",
    ),
    f"{CART}/messagebus/lawful_test.py": (
        f"{INVENTORY}/records:messagebus_mock",
        first_module("seam/testing"),
    ),
    "director/lawful.py": (f"{INVENTORY}/service.py", f"{CART}/service.py"),
}


def module_of(victim: str) -> str:
    """Names the Python module that a file is, or that a target generates."""
    folder, _, name = victim.partition(":")
    if not name:
        return folder.removesuffix(".py").replace("/", ".")
    generated = {
        "protos/inventory/v1:messagebus": "inventory.v1.messagebus_pb2",
        "protos/contract/v1:money_records": "contract.v1.money",
    }
    return generated.get(victim, f"{folder}.{name}".replace("/", "."))


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, in which crimes do no harm."""
    copy = tmp_path_factory.mktemp("boundaries") / "repository"
    shutil.copytree(
        Path.cwd(),
        copy,
        symlinks=True,
        # What a sandbox or a checkout holds besides.
        ignore=shutil.ignore_patterns(".*", "*.pex", "__pycache__", "dist", "node_modules"),
    )
    return copy


@pytest.fixture(scope="session")
def refusals(repository: Path) -> dict[str, str]:
    """What Pants says of each scene, with all of its crimes committed at once."""
    scenes: dict[str, list[str]] = {}
    for crime in CRIMES.values():
        scenes.setdefault(crime.scene, []).append(crime.victim)
    said: dict[str, str] = {}
    for scene, victims in scenes.items():
        code, text = commit(repository, {scene: victims})
        assert code != 0, f"Pants let {scene} pass"
        said[scene] = text
    return said


def commit(repository: Path, imports: Mapping[str, Sequence[str]]) -> tuple[int, str]:
    """Writes files that import what they are given, and asks Pants what they depend on."""
    for scene, victims in imports.items():
        lines = (f"import {module_of(victim)}\n" for victim in victims)
        (repository / scene).write_text("".join(lines))
    try:
        asked = subprocess.run(
            ["./pants", "--no-pantsd", "dependencies", *imports],
            cwd=repository,
            env={key: value for key, value in os.environ.items() if not key.startswith("PEX")},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for scene in imports:
            (repository / scene).unlink()
    return asked.returncode, asked.stdout + asked.stderr


@pytest.mark.parametrize("law", CRIMES)
def test_is_refused(law: str, refusals: dict[str, str]) -> None:
    crime = CRIMES[law]
    assert any(
        crime.scene in line and crime.victim in line for line in refusals[crime.scene].splitlines()
    ), f"{law}, but Pants did not name {crime.victim}:\n{refusals[crime.scene]}"


def test_lawful_imports_are_let_pass(repository: Path) -> None:
    code, text = commit(repository, LAWFUL)
    assert code == 0, text
    for victims in LAWFUL.values():
        for victim in victims:
            assert victim in text
