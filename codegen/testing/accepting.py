"""Makes up contracts, and has the generators accept them. For tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from codegen.contract.loading import load
from codegen.contract.model import ContractFile, RefusedContractError
from codegen.plugin import Generate
from codegen.python import bus, mocks, records, routes
from codegen.testing.compiling import import_paths
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
    routes.generate,
    mocks.generate,
)
_PROBLEM = re.compile(
    r"""^(\S+\.proto):(?:(\d+):\d+:\ (?!warning)|\ "(\w+)"\ is\ already\ defined)""",
    re.MULTILINE | re.VERBOSE,
)
_MOST_ROUNDS = 100


class _RefusedError(Exception):
    """Contracts were refused; the text is what protoc or the generators said."""


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
    _protoc(folder, draft, f"--python_out={folder}", f"--pyi_out={folder}")
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
        except _RefusedError as refused:
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
    described = folder / "descriptors.bin"
    _protoc(
        folder,
        draft,
        f"--descriptor_set_out={described}",
        "--include_imports",
        "--include_source_info",
    )
    request = CodeGeneratorRequest(
        file_to_generate=draft.files,
        proto_file=FileDescriptorSet.FromString(described.read_bytes()).file,
    )
    try:
        return load(request, {})
    except RefusedContractError as refused:
        raise _RefusedError(str(refused)) from None


def _protoc(folder: Path, draft: Draft, *arguments: str) -> None:
    command = [sys.executable, "-m", "grpc_tools.protoc", *arguments]
    command += [f"-I{path}" for path in (folder, *import_paths())]
    result = subprocess.run([*command, *draft.files], capture_output=True, text=True, check=False)
    if result.returncode:
        raise _RefusedError(result.stderr)
