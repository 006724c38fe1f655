"""How property tests run: the same examples each time, and as long as they take."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def load_profile() -> None:
    """Let Hypothesis run as a `conftest.py` wants it for all tests beside it.

    The same examples are tried each time, so that a change alone can make a test fail. A machine
    that is busy with something else makes no test wrong.
    """
    settings.register_profile(
        "seam", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("seam")
