"""Revisions must be a chain: each builds on the one before, and there is one that is the last."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from seam.persistence.migrations.revisions import REVISION_FILE, Migrations
from seam.persistence.migrations.steps import load_scripts
from seam.testing.migrations.wrong import WrongMigrationError


def check_chain(migrations: Migrations) -> None:
    """Check the files of a service's revisions, and what they say of each other.

    Raises:
        WrongMigrationError: one cannot be read, or has no place in the order of the others.
    """
    files = sorted(migrations.directory.glob("*.py"))
    by_number: dict[str, Path] = {}
    for file in files:
        found = REVISION_FILE.fullmatch(file.name)
        if found is None:
            raise WrongMigrationError(f"{file}: expected a name such as 0002_what_it_does.py")
        other = by_number.setdefault(found["number"], file)
        if other is not file:
            raise WrongMigrationError(
                f"{other.name} and {file.name} are two heads: give the one that comes later "
                "the next number, and the other's as its down_revision"
            )
        try:
            ast.parse(file.read_bytes())
        except SyntaxError as error:
            raise WrongMigrationError(f"{file}:{error.lineno}: {error.msg}") from None
    if not by_number:
        raise WrongMigrationError(
            f"{migrations.service} has no revisions in {migrations.directory}"
        )
    for index, number in enumerate(by_number, start=1):
        if number != f"{index:04}":
            raise WrongMigrationError(f"{by_number[number].name}: revision {index:04} is missing")
    before = None
    for number, file in by_number.items():
        _check_module(file, module_of(migrations, number), number, before)
        before = number


def module_of(migrations: Migrations, revision: str) -> ModuleType:
    """The module of a revision.

    Raises:
        WrongMigrationError: it cannot be imported, or lacks what every revision has.
    """
    try:
        scripts = load_scripts(migrations)
        script = scripts.get_revision(revision)
    except Exception as error:
        raise WrongMigrationError(
            f"the revisions of {migrations.service} cannot be loaded: "
            f"{_place(error, migrations.directory)}{type(error).__name__}: {error}"
        ) from error
    module: ModuleType = script.module
    return module


def names_in(module: ModuleType, attribute: str) -> Sequence[str]:
    """The names that a revision lists under `attribute`, if it does."""
    names: Sequence[str] = getattr(module, attribute, ())
    if isinstance(names, str):
        raise WrongMigrationError(f"{module.__file__}: {attribute} is a text; expected a tuple")
    return names


def _place(error: Exception, directory: Path) -> str:
    """The file and the line of a revision that an error has come from."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    own = (each for each in frames if Path(each.filename).parent == directory)
    frame = next(own, None)
    return "" if frame is None else f"{frame.filename}:{frame.lineno}: "


def _check_module(file: Path, module: ModuleType, number: str, before: str | None) -> None:
    for name, expected in (("revision", number), ("down_revision", before)):
        said = getattr(module, name, None)
        if said != expected:
            raise WrongMigrationError(f"{file.name}: {name} is {said!r}; expected {expected!r}")
    for name in ("upgrade", "downgrade"):
        if not callable(getattr(module, name, None)):
            raise WrongMigrationError(f"{file.name}: it has no function {name}")
