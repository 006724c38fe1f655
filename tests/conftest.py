"""What tests of whole systems have in common."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.system.logs import LOGS, last_lines


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the programs under test wrote last, where a test fails: it says why."""
    report = yield
    if report.failed:
        report.sections += [(f"log {path}", last_lines(path)) for path in dict.fromkeys(LOGS)]
    return report
