"""Commits each forbidden import in a copy of the repository and expects Pants to refuse it.

The rules are in services/BUILD, seam/BUILD and director/BUILD. Imports that would escape them are
refused by `lint`: pants.toml and pyproject.toml say which.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

CART: Final = "services/shopping_cart"
INVENTORY: Final = "services/inventory"

IN_A_HANDLER: Final = f"{CART}/messagebus/crime.py"
IN_A_TEST: Final = f"{CART}/messagebus/crime_test.py"
IN_THE_SEAM: Final = "seam/crime.py"
IN_A_CLIENT: Final = "clients/python/contract_client/crime.py"
IN_THE_DIRECTOR: Final = "director/crime.py"


@dataclass(frozen=True)
class Crime:
    """A forbidden import.

    Attributes:
        scene: the file that imports.
        victim: the file or generated target that it must not import.
        statement: how it imports `{module}`, which is `{name}` of `{package}`.
    """

    scene: str
    victim: str
    statement: str = "import {module}"

    def text(self) -> str:
        """What the scene holds."""
        module = module_of(self.victim)
        package, _, name = module.rpartition(".")
        return self.statement.format(module=module, package=package, name=name) + "\n"


def first_module(folder: str, at: int = 0) -> str:
    """Name a module of the folder, whichever modules it holds today."""
    modules = sorted(
        path.as_posix()
        for path in Path(folder).glob("*.py")
        if path.stem not in ("__init__", "conftest") and not path.stem.endswith("_test")
    )
    assert modules, f"{folder} holds no modules to import"
    return modules[at]


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
    "A service does not import the package of another's persistence": Crime(
        IN_A_HANDLER, f"{INVENTORY}/persistence/__init__.py", "from {package} import {name}"
    ),
    "A service does not import the package of another's handlers": Crime(
        IN_A_HANDLER, f"{INVENTORY}/messagebus/__init__.py", "import {module}"
    ),
    "A service does not import another's rules": Crime(
        IN_A_HANDLER, first_module(f"{INVENTORY}/domain")
    ),
    "A service does not import another's commands": Crime(
        IN_A_HANDLER, first_module(f"{INVENTORY}/commands")
    ),
    "A service does not import another's persistence relative to itself": Crime(
        IN_A_HANDLER,
        first_module(f"{INVENTORY}/persistence", 2),
        "from ...inventory.persistence import {name}",
    ),
    "A service does not import benchmarks": Crime(IN_A_HANDLER, "benchmarks/measuring.py"),
    "A service does not import tests": Crime(IN_A_HANDLER, "tests/system/processes.py"),
    "A service does not import the conformance suite": Crime(
        IN_A_HANDLER, "conformance/handler.py"
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
    "The seam does not import benchmarks": Crime(IN_THE_SEAM, "benchmarks/measuring.py"),
    "The seam does not import the conformance suite": Crime(IN_THE_SEAM, "conformance/handler.py"),
    "The socketless channel does not import the seam": Crime(
        "lib/grpc_inprocess/crime.py", "seam/contract/errors.py"
    ),
    "The seam does not import the director": Crime(IN_THE_SEAM, "director/monolith.py"),
    "The seam does not import what is for tests": Crime(IN_THE_SEAM, first_module("seam/testing")),
    "A client does not import the seam": Crime(IN_A_CLIENT, "seam/contract/errors.py"),
    "A client does not import what is generated for a service": Crime(
        IN_A_CLIENT, f"{INVENTORY}/records:api"
    ),
    "A client does not import what services say to each other": Crime(
        IN_A_CLIENT, "protos/inventory/v1:messagebus"
    ),
    "The director does not import a service's persistence": Crime(
        IN_THE_DIRECTOR, first_module(f"{INVENTORY}/persistence")
    ),
    "The director does not import benchmarks": Crime(IN_THE_DIRECTOR, "benchmarks/measuring.py"),
    "The director does not import tests": Crime(IN_THE_DIRECTOR, "tests/system/processes.py"),
    "The director does not import the conformance suite": Crime(
        IN_THE_DIRECTOR, "conformance/handler.py"
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
    """Name the Python module that a file is, or that a target generates."""
    folder, _, name = victim.partition(":")
    if not name:
        return folder.removesuffix(".py").replace("/", ".")
    generated = {
        "protos/inventory/v1:messagebus": "inventory.v1.messagebus_pb2",
        "protos/contract/v1:money_records": "contract.v1.money",
    }
    return generated.get(victim, f"{folder}.{name}".replace("/", "."))


@pytest.fixture(scope="session")
def refusals(repository: Path) -> dict[str, str]:
    """What Pants says of each scene, with all of its crimes committed at once."""
    scenes: dict[str, str] = {}
    for crime in CRIMES.values():
        scenes[crime.scene] = scenes.get(crime.scene, "") + crime.text()
    said: dict[str, str] = {}
    for scene, text in scenes.items():
        code, answer = commit(repository, "dependencies", {scene: text})
        assert code != 0, f"Pants let {scene} pass"
        said[scene] = answer
    return said


def commit(repository: Path, goal: str, files: Mapping[str, str]) -> tuple[int, str]:
    """Write files, and ask Pants for a goal on them."""
    for scene, text in files.items():
        (repository / scene).write_text(text)
    try:
        asked = subprocess.run(
            ["./pants", "--no-pantsd", goal, *files],
            cwd=repository,
            env={key: value for key, value in os.environ.items() if not key.startswith("PEX")},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for scene in files:
            (repository / scene).unlink()
    return asked.returncode, asked.stdout + asked.stderr


@pytest.mark.parametrize("law", CRIMES)
def test_is_refused(law: str, refusals: dict[str, str]) -> None:
    crime = CRIMES[law]
    assert any(
        crime.scene in line and crime.victim in line for line in refusals[crime.scene].splitlines()
    ), f"{law}, but Pants did not name {crime.victim}:\n{refusals[crime.scene]}"


HIDDEN: Final = {
    "text": "import importlib\nimportlib.import_module('services.inventory.persistence.items')",
    "comment": "from services.inventory.persistence import items  # pants: no-infer-dep",
    # The name of a file that may do so elsewhere.
    "sandbox_protoc": "from services.inventory.persistence import items  # pants: no-infer-dep",
    "computed": "import importlib\nimportlib.import_module('services.' + __name__)",
    "renamed": "from importlib import import_module as find\nfind('services.' + __name__)",
    "builtin": "__import__('services.' + __name__)",
    "loaded": "import sys\nsys.modules['services.' + __name__]",
    "asked_for": "import sys\nsys.modules.get('services.' + __name__)",
    "taken": "from sys import modules\nmodules['services.' + __name__]",
    "run": "import runpy\nrunpy.run_module('services.' + __name__)",
    "resolved": "import pkgutil\npkgutil.resolve_name('services.' + __name__)",
}


def hidden(name: str) -> str:
    """The file that hides an import."""
    return f"{CART}/messagebus/{'' if name == 'sandbox_protoc' else 'hidden_'}{name}.py"


@pytest.fixture(scope="session")
def complaints(repository: Path) -> str:
    """What `lint` says of imports that no boundary can see."""
    files = {hidden(name): HIDDEN[name] for name in HIDDEN}
    code, text = commit(repository, "lint", {path: f"{text}\n" for path, text in files.items()})
    assert code != 0, text
    return text


@pytest.mark.parametrize("name", HIDDEN)
def test_an_import_that_no_boundary_can_see_is_refused(name: str, complaints: str) -> None:
    file = re.escape(hidden(name))
    by_ruff = rf"TID251 .*\n *--> {file}"
    by_regex = rf"{file}.*no_import_out_of_sight"
    assert re.search(f"{by_ruff}|{by_regex}", complaints), complaints


def test_two_contracts_of_a_service_may_not_have_a_message_of_one_name(repository: Path) -> None:
    thing = "// A thing.\nmessage Thing {}\n"
    code, text = say(repository, "check", {"api": thing, "messagebus": thing})
    assert code != 0
    assert re.search(r'made/v1/messagebus\.proto:5:9: "made\.v1\.Thing" is already defined', text)


def test_a_contract_that_is_written_as_no_other_is_complained_of(repository: Path) -> None:
    code, text = say(
        repository, "lint", {"api": "// A thing.\nmessage Thing { bool isOdd = 1; }\n"}
    )
    assert code != 0
    place = re.escape("protos/made/v1/api.proto:5:22")
    assert re.search(rf'{place}:Field name "isOdd" should be lower_snake_case', text), text


def say(repository: Path, goal: str, contracts: Mapping[str, str]) -> tuple[int, str]:
    """Write contracts of a new service, and ask Pants for a goal on them."""
    folder = "protos/made/v1"
    targets = [f'protobuf_source(name="{each}", source="{each}.proto")\n' for each in contracts]
    (repository / folder).mkdir(parents=True, exist_ok=True)
    (repository / folder / "BUILD").write_text("".join(targets))
    start = 'syntax = "proto3";\npackage made.v1;\n\n'
    files = {f"{folder}/{name}.proto": start + text for name, text in contracts.items()}
    return commit(repository, goal, files)


def test_lawful_imports_are_let_pass(repository: Path) -> None:
    code, text = commit(
        repository,
        "dependencies",
        {
            scene: "".join(f"import {module_of(victim)}\n" for victim in victims)
            for scene, victims in LAWFUL.items()
        },
    )
    assert code == 0, text
    for victims in LAWFUL.values():
        for victim in victims:
            assert victim in text
