"""The revisions of a service's tables, as the names of their files tell, without loading any.

A revision is a module `NNNN_what_it_does.py` and each builds on the one before, so the order of
numbers is all there is to know: where a database stands, and what is still to be run. Alembic is
imported only when something has to be run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from sqlalchemy import MetaData

REVISION_FILE: Final = re.compile(r"(?P<number>[0-9]{4})_(?P<words>[a-z0-9_]+)\.py")

BASE: Final = "base"
"""What people call the state before the first revision, as Alembic does."""


class MigrationError(Exception):
    """A database cannot be migrated; the text names the service and says why."""


@dataclass(frozen=True, eq=False)
class Migrations:
    """The tables of a service, and the revisions that lead to them.

    Attributes:
        tables: what the service's code expects; its `schema` is the service's name.
        directory: where the revisions are.
    """

    tables: MetaData
    directory: Path

    @property
    def service(self) -> str:
        """The service whose tables these are."""
        name = self.tables.schema
        if name is None:
            raise MigrationError(f"the tables of {self.directory} name no schema")
        return name

    @cached_property
    def titles(self) -> dict[str, str]:
        """What each revision does, by number, in their order.

        Raises:
            MigrationError: there is none.
        """
        titles = dict(sorted(self._found()))
        if not titles:
            raise MigrationError(f"{self.service} has no revisions in {self.directory}")
        return titles

    @property
    def revisions(self) -> tuple[str, ...]:
        """Numbers of all revisions, in their order."""
        return tuple(self.titles)

    @property
    def last(self) -> str | None:
        """The last revision that is written, if there is one yet."""
        numbers = [each[0] for each in self._found()]
        return max(numbers, default=None)

    @property
    def head(self) -> str:
        """The revision that the service's code is written for."""
        return self.revisions[-1]

    def pending(self, version: str | None) -> tuple[str, ...]:
        """What is still to be run on a database.

        Args:
            version: the revision that it is at; None before the first. A later one than all that
                are known is that of newer code, beside which this one runs.

        Raises:
            MigrationError: this can be no revision of the service.
        """
        if version is None:
            return self.revisions
        if version in self.titles:
            return self.revisions[self.revisions.index(version) + 1 :]
        if self.is_newer(version):
            return ()
        raise MigrationError(
            f"it is at revision '{version}', which is none of {self.service}: "
            f"expected one of {', '.join(self.revisions)}, or a later one"
        )

    def is_newer(self, version: str) -> bool:
        """Whether newer code than this has made a revision."""
        return re.fullmatch("[0-9]{4}", version) is not None and version > self.head

    def _found(self) -> list[tuple[str, str]]:
        files = self.directory.iterdir() if self.directory.is_dir() else ()
        names = (REVISION_FILE.fullmatch(file.name) for file in files)
        return [(each["number"], each["words"].replace("_", " ")) for each in names if each]
