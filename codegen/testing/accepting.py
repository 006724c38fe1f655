"""Makes up contracts, and has the generators accept them. For tests."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from codegen.contract.loading import load
from codegen.contract.model import ContractFile, RefusedContractError
from codegen.plugin import Generate
from codegen.python import bus, events, mocks, records, routes
from codegen.testing.compiling import ProtocError, compile_contracts, request_for
from codegen.testing.random_contracts import draft_contracts

if TYPE_CHECKING:
    from pathlib import Path

    from codegen.testing.random_contracts import Draft

__all__ = ["SEEDS", "generate_random_contracts"]


def _seeds() -> range:
    first, _, last = os.environ.get("CONTRACT_SEEDS", "0-3").partition("-")
    return range(int(first), int(last or first) + 1)


SEEDS = _seeds()
"""The seeds of the random contracts that tests try: few, and always the same.

`CONTRACT_SEEDS=100-199` in the environment has them try others.
"""

_GENERATORS: tuple[Generate, ...] = (
    records.generate,
    bus.generate,
    events.generate,
    routes.generate,
    mocks.generate,
)
_PROBLEM = re.compile(
    r"""^(\S+\.proto):(?:(\d+):\d+:\ (?!warning)|\ "(\w+)"\ is\ already\ defined)""",
    re.MULTILINE | re.VERBOSE,
)
_MOST_ROUNDS = 100


def generate_random_contracts(seed: int, folder: Path) -> list[ContractFile]:
    """Make up contracts, and write what is generated from them.

    Args:
        seed: the same seed gives the same contracts.
        folder: where the modules go; the contracts lie beside them.

    Raises:
        ValueError: what is refused cannot be mended.
    """
    draft = draft_contracts(seed)
    files = _accepted(draft, folder)
    for file in files:
        for generate in _GENERATORS:
            for path, content in generate(file):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(content)
    compile_contracts(folder, folder, [*draft.files, "contract/v1/options.proto"], plugins=[])
    return files


def _accepted(draft: Draft, folder: Path) -> list[ContractFile]:
    """The contracts, when all that is refused in them has been mended."""
    said = ""
    for _ in range(_MOST_ROUNDS):
        for path, text in draft.texts().items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        try:
            return _load(draft, folder)
        except ProtocError as refused:
            said = str(refused)
            mended = [draft.mend(path, line) for path, line in _places(draft, said)]
            if not any(mended):
                raise ValueError(said) from None
    raise ValueError(f"still refused after {_MOST_ROUNDS} rounds: {said}")


def _places(draft: Draft, said: str) -> set[tuple[str, int]]:
    """The places that refusals name. protoc writes some paths in full, and some without a line."""
    places: set[tuple[str, int]] = set()
    for path in draft.files:
        for file, line, name in _PROBLEM.findall(said):
            if file.endswith(path):
                lines = [int(line)] if line else draft.find(path, name)
                places.update((path, each) for each in lines)
    return places


def _load(draft: Draft, folder: Path) -> list[ContractFile]:
    try:
        return load(request_for(folder, draft.files), {})
    except RefusedContractError as refused:
        raise ProtocError(str(refused)) from None
