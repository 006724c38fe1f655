"""What is wrong with a revision."""

from __future__ import annotations


class WrongMigrationError(AssertionError):
    """A revision cannot go to production; the text names it, and says what was expected."""
