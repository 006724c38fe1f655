"""Who goes through the table of ProtoJSON cases: one line each.

A program is started once. It reads lines `{"message": NAME, "json": TEXT}` from its standard input,
and answers each with a line `{"json": TEXT}` or `{"error": TEXT}` in the same order; at the end of
its input, it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clients.android import protojson_program as kotlin_program
from clients.ios import protojson_program as ios_program
from clients.ios.toolchain import toolchain
from clients.protojson import python_program, server_program
from clients.web import protojson_program as web_program

__all__ = ["PARTICIPANTS", "Participant"]


@dataclass(frozen=True)
class Participant:
    """A program.

    Attributes:
        name: what tests call it.
        command: makes what the program needs in an empty folder, from the contracts of `library`
            in `codegen/testing/testdata/contracts`, and gives the command that starts it.
        is_client: whether it reads what servers answer, and not what clients ask.
    """

    name: str
    command: Callable[[Path], list[str]]
    is_client: bool = True


PARTICIPANTS: Final = (
    Participant("server", server_program.command, is_client=False),
    Participant("python", python_program.command),
    Participant("web", web_program.command),
    Participant("kotlin", kotlin_program.command),
    # It is compiled, for which there is a toolchain on some machines.
    *((Participant("ios", ios_program.command),) if toolchain() else ()),
)
