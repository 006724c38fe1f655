"""The site of the repository, which the tests of it look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from docs.site.main import site_of
from docs.site.survey import survey
from docs.site.system import put_together
from docs.site.usage import find_usage

from codegen.documentation.reading import read_contracts
from director.monolith import SERVICES

if TYPE_CHECKING:
    from docs.site.system import System

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site() -> dict[str, str]:
    return site_of(ROOT)


@pytest.fixture(scope="session")
def system() -> System:
    contracts = read_contracts(ROOT / "protos")
    return put_together(survey(SERVICES), contracts, find_usage(ROOT, contracts))
