"""Generated code meets the standards of code that people write."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from codegen.python.formatting import RUFF
from codegen.testing.accepting import SEEDS, generate_random_contracts
from codegen.testing.compiling import TESTDATA, compile_contracts

ROOT = Path(__file__).parents[2]
CONTRACTS = TESTDATA / "contracts"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("generated")
    files = [f"library/v1/{file}.proto" for file in ("api", "messagebus", "values")]
    compile_contracts(CONTRACTS, out, files)
    for seed in SEEDS:
        generate_random_contracts(seed, out)
    return out


def modules(generated: Path) -> list[str]:
    return [
        ".".join(path.relative_to(generated).with_suffix("").parts)
        for path in sorted(generated.rglob("*.py"))
        if "_pb2" not in path.name
    ]


def test_generated_code_is_formatted(generated: Path) -> None:
    files = [path for path in generated.rglob("*.py") if "_pb2" not in path.name]
    command = [RUFF, "format", "--isolated", "--check", "--line-length=100", *map(str, files)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_generated_code_imports_nothing_in_vain_and_in_order(generated: Path) -> None:
    files = [path for path in generated.rglob("*.py") if "_pb2" not in path.name]
    command = [RUFF, "check", "--isolated", "--select=F,E9,A,D1,UP,PYI,RET,C4"]
    # As in the repository: magic methods are described by the language; and what contracts call
    # fields and types is theirs, because they are written for every language.
    command += ["--ignore=D105,D107,A003,PYI042,PYI043"]
    command += ["--target-version=py311", *map(str, files)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_generated_code_passes_strict_type_checks(generated: Path, tmp_path: Path) -> None:
    mypy = pytest.importorskip("mypy.api", reason="mypy is not among the requirements of this test")
    config = tmp_path / "mypy.ini"
    # Not ours to answer for: what protoc writes, and libraries without types.
    written = ",".join(
        ".".join(path.relative_to(generated).with_suffix("").parts)
        for path in sorted(generated.rglob("*_pb2.py"))
    )
    # As pyproject.toml has it.
    config.write_text(
        "[mypy]\nstrict = true\nwarn_unreachable = true\nexplicit_package_bases = true\n"
        "namespace_packages = true\nfollow_imports_for_stubs = true\n"
        "enable_error_code = ignore-without-code, redundant-expr, truthy-bool\n"
        f"mypy_path = {generated}:{ROOT}\ncache_dir = {tmp_path}\n"
        f"[mypy-{written}]\nfollow_imports = silent\n"
        "[mypy-google.*,grpc.*,grpc_health.*]\nignore_missing_imports = true\n"
        "follow_imports = silent\n"
        "[mypy-seam.*]\nfollow_imports = silent\n"
    )
    arguments = [f"--config-file={config}"]
    for module in modules(generated):
        arguments += ["-m", module]
    printed, complaints, status = mypy.run(arguments)
    assert status == 0, printed + complaints


def test_records_know_nothing_of_protocol_buffers(generated: Path) -> None:
    suffixes = ("_wire", "_json", "_bus", "_events", "_asyncapi", "_routes", "_openapi", "_mock")
    for module in modules(generated):
        if module.endswith(suffixes):
            continue
        text = (generated / f"{module.replace('.', '/')}.py").read_text()
        imported = set(re.findall(r"^from (\S+) import", text, re.MULTILINE))
        assert not {name for name in imported if name.startswith(("google", "seam.codec.wire"))}
        assert not any(name.endswith("_pb2") for name in imported)


def test_every_module_says_which_contract_it_comes_from(generated: Path) -> None:
    for module in modules(generated):
        first = (generated / f"{module.replace('.', '/')}.py").read_text().splitlines()[0]
        assert re.fullmatch(
            r"# Generated from \S+\.proto\. Do not edit: change the contract instead\.", first
        )
