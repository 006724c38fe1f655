"""What the generator writes, word for word.

After a deliberate change, write the expected files anew, and read the difference:
GOLDEN_UPDATE=1 python -m pytest codegen/swift/golden_test.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from google.protobuf.compiler.plugin_pb2 import CodeGeneratorResponse

from codegen.testing.compiling import TESTDATA, request_for

if TYPE_CHECKING:
    from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest

GOLDEN = TESTDATA / "golden_swift"
CONTRACTS = [f"library/v1/{file}.proto" for file in ("api", "messagebus", "values")]


def generate(request: CodeGeneratorRequest, hash_seed: str = "0") -> dict[str, str]:
    """Run the plugin as protoc does."""
    request.parameter = "product=readers,everything"
    result = subprocess.run(
        [sys.executable, "-m", "codegen.swift.client"],
        input=request.SerializeToString(),
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
    )
    response = CodeGeneratorResponse.FromString(result.stdout)
    assert not response.error
    return {file.name: file.content for file in response.file}


@pytest.fixture(scope="module")
def request_of_library(tmp_path_factory: pytest.TempPathFactory) -> CodeGeneratorRequest:
    # It writes beside what it reads.
    contracts = tmp_path_factory.mktemp("library") / "contracts"
    shutil.copytree(TESTDATA / "contracts", contracts)
    return request_for(contracts, CONTRACTS)


@pytest.fixture(scope="module")
def generated(request_of_library: CodeGeneratorRequest) -> dict[str, str]:
    return generate(request_of_library)


def golden() -> dict[str, str]:
    return {
        str(path.relative_to(GOLDEN)).removesuffix(".golden"): path.read_text()
        for path in sorted(GOLDEN.rglob("*.golden"))
    }


def test_the_generator_writes_the_expected_files(generated: dict[str, str]) -> None:
    if os.environ.get("GOLDEN_UPDATE"):
        for path in GOLDEN.rglob("*.golden"):
            path.unlink()
        for name, text in generated.items():
            path = GOLDEN / f"{name}.golden"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    assert sorted(generated) == sorted(golden())


@pytest.mark.parametrize("name", sorted(golden()))
def test_a_generated_file_is_word_for_word_as_expected(
    generated: dict[str, str], name: str
) -> None:
    assert generated[name] == golden()[name]


def test_the_same_contracts_give_the_same_files_whatever_the_hash_seed(
    request_of_library: CodeGeneratorRequest, generated: dict[str, str]
) -> None:
    assert generate(request_of_library, hash_seed="4711") == generated


def test_no_line_is_too_long_but_those_that_cannot_be_broken(generated: dict[str, str]) -> None:
    long = [
        line
        for text in generated.values()
        for line in text.split("\n")
        if len(line) > 100 and line.strip().startswith("///")
    ]
    assert not long
