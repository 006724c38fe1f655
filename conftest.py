"""What all tests have in common."""

from __future__ import annotations

import gc


def pytest_collection_finish() -> None:
    """Leave what was imported out of all collections of garbage, so that it slows no test down.

    Several files share a process, and what one costs must not depend on what the others import.
    """
    gc.collect()
    gc.freeze()
