"""What is generated from made-up contracts, with names that ask for trouble, compiles."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from clients.android.packed import JAVA, packed, published
from codegen.kotlin.package import package
from codegen.testing.accepting import SEEDS, generate_random_contracts
from tests.polyglot.node_process import NODE, NPM

HERE: Final = Path(__file__).parent

TIMEOUT: Final = 240.0


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the compiler as the client's lock names it."""
    folder = tmp_path_factory.mktemp("compiler")
    for name in (".npmrc", "package.json", "package-lock.json"):
        shutil.copy(HERE / "compiler" / name, folder)
    path = os.pathsep.join((str(NODE.parent), os.environ.get("PATH", os.defpath)))
    subprocess.run([NODE, NPM, "ci"], cwd=folder, env={**os.environ, "PATH": path}, check=True)
    jars = folder / "node_modules/kotlin-compiler/lib"
    names = ("annotations-13.0", "kotlin-compiler", "kotlin-stdlib", "kotlinx-coroutines-core-jvm")
    classpath = os.pathsep.join(str(jars / f"{name}.jar") for name in names)
    main = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"
    return [
        JAVA,
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-Xmx1500m",
        "-cp",
        classpath,
        main,
    ]


def test_made_up_contracts_give_clients_that_compile(compiler: list[str], tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    # Every other one, since the compiler takes its time; it gets all of them at once.
    for seed in SEEDS[::2]:
        contracts = tmp_path / f"contracts{seed}"
        contracts.mkdir()
        files = generate_random_contracts(seed, contracts)
        for path, content in package(files, f"shop{seed}", everything=True):
            file = sources / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
    client = str(published(".jar"))
    libraries = [client, *(str(each) for each in (packed() / "programs").glob("*.jar"))]
    options = ["-no-stdlib", "-no-reflect", "-cp", os.pathsep.join(libraries)]
    options += [f"-Xfriend-paths={client}", "-d", str(tmp_path / "made_up.jar")]
    result = subprocess.run(
        [*compiler, *options, str(sources)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    errors = [line for line in result.stderr.splitlines() if ": error: " in line]
    assert errors == []
    assert result.returncode == 0, result.stderr
