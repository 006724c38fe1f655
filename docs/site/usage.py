"""Finds the code that uses a contract: what calls methods, takes events, or is a page of the shop.

Which services call one another is declared; where they do is looked up here. In Python, what stubs
and constants of events a file imports is read from its syntax, and which methods it calls. In
TypeScript, what a part of the storefront asks of `shop`, the generated client, is read from its
text, in the ways in which it is written there.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from codegen.client.names import client_name, lower_first

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from codegen.contract.model import ContractFile, Service

__all__ = ["NO_USAGE", "Usage", "Use", "find_usage"]

_RECORDS: Final = re.compile(r"services\.\w+\.records\.\w+_(bus|events)")
_STUB: Final = "Stub"
_CLIENT: Final = re.compile(r"^\w+_client\(", re.MULTILINE)
_TESTS: Final = ("_test.py", "conftest.py")

_CALLED: Final = re.compile(r"\bshop\.(\w+)\.(\w+)")
_TAKEN: Final = re.compile(r"\{([^{}]*)\} = shop\b(?:\.(\w+))?")


@dataclass(frozen=True, order=True)
class Use:
    """A file that uses what a service offers.

    Attributes:
        path: where the file is in the repository.
        names: full names of the methods that it calls and the events that it takes.
    """

    path: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Usage:
    """What code uses contracts.

    Attributes:
        uses: by the name of the service that offers what is used, in the order of the files.
        clients: the folders of clients that are generated from contracts.
    """

    uses: Mapping[str, tuple[Use, ...]]
    clients: tuple[str, ...]


NO_USAGE: Final = Usage(uses={}, clients=())
"""Of contracts alone."""


def find_usage(root: Path, contracts: Sequence[ContractFile]) -> Usage:
    """Read the code.

    Args:
        root: the root of the repository, of which `services/` and the BUILD files of `clients/`
            are read.
        contracts: all contracts.
    """
    clients = tuple(
        path.parent.relative_to(root).as_posix()
        for path in sorted((root / "clients").glob("*/BUILD"))
        if _CLIENT.search(path.read_text("utf-8"))
    )
    return Usage(_uses(root, contracts), clients)


def _uses(root: Path, contracts: Sequence[ContractFile]) -> dict[str, tuple[Use, ...]]:
    offered = _Offered(contracts)
    found: defaultdict[str, list[Use]] = defaultdict(list)
    for path in sorted((root / "services").rglob("*")):
        if path.suffix == ".py" and not path.name.endswith(_TESTS):
            names = set(offered.in_python(path.read_text("utf-8")))
        elif path.suffix in {".ts", ".tsx"}:
            names = set(offered.in_typescript(path.read_text("utf-8")))
        else:
            continue
        place = path.relative_to(root).as_posix()
        by_owner: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(names):
            by_owner[name.partition(".")[0]].append(name)
        for owner, of_owner in by_owner.items():
            # What a service publishes, or its own stubs, make it no consumer of itself.
            if path.suffix != ".py" or not place.startswith(f"services/{owner}/"):
                found[owner].append(Use(place, tuple(of_owner)))
    return {owner: tuple(uses) for owner, uses in found.items()}


class _Offered:
    """What contracts offer, by what code calls it."""

    def __init__(self, contracts: Sequence[ContractFile]) -> None:
        services = [(file, each) for file in contracts for each in file.services]
        self._stubs = {f"{each.name}{_STUB}": _methods(each) for _, each in services}
        self._events = {
            _constant(message.name): message.full_name
            for file in contracts
            for message in file.messages
            if message.event is not None
        }
        self._clients = {
            lower_first(client_name(each)): {
                lower_first(method.name): f"{each.full_name}.{method.name}"
                for method in each.methods
            }
            for file, each in services
            if file.path.endswith("/api.proto")
        }

    def in_python(self, text: str) -> Iterator[str]:
        """Full names of what a module uses of contracts."""
        tree = ast.parse(text)
        methods: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and _RECORDS.fullmatch(node.module or ""):
                for alias in node.names:
                    methods |= self._stubs.get(alias.name, {})
                    if alias.name in self._events:
                        yield self._events[alias.name]
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name = methods.get(node.func.attr)
                if name is not None:
                    yield name

    def in_typescript(self, text: str) -> Iterator[str]:
        """Full names of what a part of the storefront asks for."""
        asked = set(_CALLED.findall(text))
        for names, client in _TAKEN.findall(text):
            for name in re.findall(r"(\w+)(?:: \w+)?", names):
                if client:
                    asked.add((client, name))
                else:
                    asked |= {(name, each) for each in re.findall(rf"\b{name}\.(\w+)", text)}
        for client, method in asked:
            name = self._clients.get(client, {}).get(method)
            if name is not None:
                yield name


def _methods(service: Service) -> Mapping[str, str]:
    return {each.attribute: f"{service.full_name}.{each.name}" for each in service.methods}


def _constant(name: str) -> str:
    """`OrderConfirmed` as `ORDER_CONFIRMED`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()
