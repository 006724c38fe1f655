"""What the generators write, word for word.

After a deliberate change, write the expected files anew, and read the difference:

    GOLDEN_UPDATE=1 python -m pytest codegen/python/golden_test.py
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from codegen.testing.compiling import PLUGINS, TESTDATA, compile_contracts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GOLDEN = TESTDATA / "golden"
FILES = ("api", "messagebus", "values")
CONTRACTS = [f"library/v1/{file}.proto" for file in FILES]
# As in a real tree: internal and client-facing records belong to the service.
MODULES = {
    "library/v1/api.proto": "services.library.records.api",
    "library/v1/messagebus.proto": "services.library.records.messagebus",
}


def generate(
    out: Path, plugins: Sequence[str] = PLUGINS, environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    compile_contracts(
        TESTDATA / "contracts",
        out,
        CONTRACTS,
        plugins=plugins,
        modules=MODULES,
        python=False,
        environment=environment,
    )
    return {str(path.relative_to(out)): path.read_text() for path in sorted(out.rglob("*.py"))}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return generate(tmp_path_factory.mktemp("generated"))


def golden() -> dict[str, str]:
    return {
        str(path.relative_to(GOLDEN)).removesuffix(".golden"): path.read_text()
        for path in sorted(GOLDEN.rglob("*.golden"))
    }


def test_the_generators_write_the_expected_files(generated: dict[str, str]) -> None:
    if os.environ.get("GOLDEN_UPDATE"):
        for path in GOLDEN.rglob("*.golden"):
            path.unlink()
        for name, text in generated.items():
            path = GOLDEN / f"{name}.golden"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    assert sorted(generated) == sorted(golden())


@pytest.mark.parametrize("name", sorted(golden()))
def test_a_generated_module_is_word_for_word_as_expected(
    generated: dict[str, str], name: str
) -> None:
    assert generated[name] == golden()[name]


def test_the_same_contract_gives_the_same_files_whatever_the_hash_seed(
    generated: dict[str, str], tmp_path: Path
) -> None:
    assert generate(tmp_path, environment={"PYTHONHASHSEED": "4711"}) == generated


def test_each_plugin_alone_writes_what_it_writes_among_the_others(
    generated: dict[str, str], tmp_path: Path
) -> None:
    together: dict[str, str] = {}
    for plugin in PLUGINS:
        alone = generate(tmp_path / plugin, plugins=[plugin])
        assert not together.keys() & alone.keys()
        together |= alone
    assert together == generated
