"""What the generator of Python clients writes, word for word.

After a deliberate change, write the expected files anew, and read the difference:

    GOLDEN_UPDATE=1 python -m pytest codegen/python_client/golden_test.py
"""

from __future__ import annotations

import os

import pytest

from codegen.python_client.client import respond
from codegen.testing.compiling import TESTDATA, request_for

GOLDEN = TESTDATA / "golden_python_client"
CONTRACTS = ["library/v1/api.proto", "library/v1/values.proto"]


def generate() -> dict[str, str]:
    request = request_for(TESTDATA / "contracts", CONTRACTS)
    request.parameter = "library_client"
    response = respond(request)
    assert not response.error
    return {file.name: file.content for file in response.file}


def golden() -> dict[str, str]:
    return {
        str(path.relative_to(GOLDEN)).removesuffix(".golden"): path.read_text()
        for path in sorted(GOLDEN.rglob("*.golden"))
    }


def test_the_generator_writes_the_expected_files() -> None:
    generated = generate()
    if os.environ.get("GOLDEN_UPDATE"):
        for path in GOLDEN.rglob("*.golden"):
            path.unlink()
        for name, text in generated.items():
            path = GOLDEN / f"{name}.golden"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    assert sorted(generated) == sorted(golden())


@pytest.mark.parametrize("name", sorted(golden()))
def test_a_generated_module_is_word_for_word_as_expected(name: str) -> None:
    assert generate()[name] == golden()[name]
