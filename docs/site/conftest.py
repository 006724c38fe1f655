"""The site of the repository, which the tests of it look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from docs.site.main import site_of
from docs.site.survey import survey
from docs.site.system import put_together

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
    return put_together(survey(SERVICES), read_contracts(ROOT / "protos"))
