"""The Kotlin client's run-time, as a program that goes through the table of ProtoJSON cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clients.android.packed import java

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


def command(folder: Path) -> list[str]:
    """The command that starts the program.

    Compiled with it is what the generator writes for the contracts of `library`, word for word as
    `codegen/kotlin/golden_test.py` expects it.

    Args:
        folder: an empty folder, of which it needs nothing.
    """
    del folder
    return java("programs.ProtoJsonKt")
