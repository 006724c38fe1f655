"""The revisions of every service that the shop has: a new service is found by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from director.monolith import SERVICES
from seam.persistence.migrations import Migrations
from seam.testing.migrations import check_chain, check_expansion, check_models, check_reversal

WITH_TABLES = [
    pytest.param(service.migrations, id=service.name)
    for service in SERVICES
    if service.migrations is not None
]

of_each_service = pytest.mark.parametrize("migrations", WITH_TABLES)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: str(service.name))
def test_a_service_with_tables_has_revisions(service: object) -> None:
    name = str(getattr(service, "name", ""))
    assert Path("services", name, "service.py").is_file()
    if Path("services", name, "persistence/tables.py").is_file():
        assert getattr(service, "migrations", None) is not None


@of_each_service
def test_revisions_follow_one_another(migrations: Migrations) -> None:
    check_chain(migrations)


@of_each_service
def test_revisions_lead_to_the_tables_of_the_code(
    migrations: Migrations, database_url: str
) -> None:
    check_models(database_url, migrations)


@of_each_service
def test_every_revision_can_be_undone_and_run_again(
    migrations: Migrations, database_url: str
) -> None:
    check_reversal(database_url, migrations)


@of_each_service
def test_the_version_before_runs_on_the_tables_of_the_version_after(
    migrations: Migrations, database_url: str
) -> None:
    check_expansion(database_url, migrations)
