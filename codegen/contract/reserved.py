"""Refuses names that Python, or what protoc writes for Python, cannot have."""

from __future__ import annotations

import keyword
import sys

from google.protobuf.message import Message

from codegen import names
from codegen.contract.model import Location, Problem

__all__ = ["NameChecker"]

# What the class of a message has besides the fields of the contract.
_MESSAGE_NAMES = frozenset(dir(Message))

# Where Python looks for its own modules, and for what generated code stands on.
_IMPORTED = sys.stdlib_module_names | {
    "codegen",
    "grpc",
    "grpc_health",
    "grpc_tools",
    "litestar",
    "msgspec",
    "ruff",
    "seam",
}


class NameChecker:
    """Collects the names that no Python can have.

    Args:
        problems: collects what is wrong.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems

    def path(self, path: str, module: str) -> None:
        """Check what the modules of a file are called.

        Args:
            path: the file.
            module: its records module.
        """
        location = Location(path, 1, 1)
        pb2 = f"{names.default_module(path)}_pb2"
        for part in dict.fromkeys([*pb2.split("."), *module.split(".")]):
            if not part.isidentifier() or keyword.iskeyword(part):
                self._refuse(location, f"no module of Python can be called {part!r}")
        for top in dict.fromkeys([pb2.partition(".")[0], module.partition(".")[0]]):
            if top in _IMPORTED:
                advice = "call the folder differently"
                self._refuse(location, f"Python has a module {top!r} already; {advice}")

    def type(self, name: str, location: Location) -> None:
        """Check the name of a message, an enum or a service."""
        self._check_private(name, location)
        if names.is_reserved(name):
            self._refuse(location, f"{name}: no class can be called as what is Python's own")

    def member(self, name: str, location: Location) -> None:
        """Check the name of a field or a oneof."""
        self._check_private(name, location)

    def method(self, name: str, location: Location) -> None:
        """Check the name of a method."""
        self._check_private(name, location)
        self._check_keyword(name, location)

    def enum_value(self, name: str, location: Location) -> None:
        """Check the name of a value of an enum."""
        self._check_private(name, location)
        self._check_keyword(name, location)

    def in_file(self, name: str, location: Location) -> None:
        """Check what a `_pb2` module holds."""
        if name == "DESCRIPTOR":
            self._refuse(location, f"{name}: every _pb2 module has one of its own")

    def in_message(self, name: str, location: Location) -> None:
        """Check what the class of a message holds in a `_pb2` module."""
        is_private = name.startswith("_")
        if not is_private and (name in _MESSAGE_NAMES or name.endswith("_FIELD_NUMBER")):
            self._refuse(location, f"{name}: every message in Python has one of its own")

    def _check_private(self, name: str, location: Location) -> None:
        if name.startswith("_"):
            self._refuse(location, f"{name}: names with an underscore in front are Python's own")

    def _check_keyword(self, name: str, location: Location) -> None:
        if keyword.iskeyword(name):
            self._refuse(location, f"{name}: gRPC and protobuf for Python cannot write a keyword")

    def _refuse(self, location: Location, reason: str) -> None:
        self._problems.append(Problem(location, reason))
