"""Teaches Pants to make a Python client of contracts.

Targets:
    python_client: what codegen/python_client writes, as a package in the folder of the BUILD file.
    client_wheel: a wheel for others to install.
"""

from __future__ import annotations

from collections.abc import Iterable

from pants.core.util_rules import source_files, stripped_source_files

from python_client import generate, package, targets


def target_types() -> Iterable[type]:
    """Give Pants the targets that BUILD files may name."""
    return (targets.PythonClient, targets.ClientWheel)


def rules() -> Iterable:
    """Give Pants the rules of this backend."""
    return (
        *generate.rules(),
        *package.rules(),
        *source_files.rules(),
        *stripped_source_files.rules(),
    )
