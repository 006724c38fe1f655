"""How a check joins the suite."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from conformance.v1.conformance_bus import ConformanceStub

Check = Callable[[ConformanceStub], Awaitable[None]]
"""A function of a stub. It fails by an exception, whose text says what was expected."""

CHECKS: Final[list[Check]] = []
"""All checks that were imported, in the order of their files."""


def check(function: Check) -> Check:
    """Add a check to the suite."""
    CHECKS.append(function)
    return function
