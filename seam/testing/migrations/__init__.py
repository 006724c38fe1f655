"""Checks of a service's revisions: a wrong one is caught, with a text that says what to do."""

from seam.testing.migrations.chain import check_chain
from seam.testing.migrations.expansion import check_expansion
from seam.testing.migrations.models import check_models
from seam.testing.migrations.reversal import check_reversal
from seam.testing.migrations.wrong import WrongMigrationError

__all__ = [
    "WrongMigrationError",
    "check_chain",
    "check_expansion",
    "check_models",
    "check_reversal",
]
