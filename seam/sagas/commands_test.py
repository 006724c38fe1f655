from __future__ import annotations

import re
from pathlib import Path

import pytest

from seam.persistence import open_database
from seam.runtime import Settings
from seam.sagas import Reason, RefusedError
from seam.sagas.commands import saga_commands
from seam.testing.travel import METADATA, TABLES, World, leave_trip, run_trip, runner_of

COMMANDS = saga_commands("travel", METADATA, TABLES)


async def run(settings: Settings, *command: str) -> int:
    found, bound, _ = COMMANDS.parse_args(command)
    bound.arguments["settings"] = settings
    code: int = await found(*bound.args, **bound.kwargs)
    return code


@pytest.fixture
async def settings(tmp_path: Path) -> Settings:
    """A folder with a saga that was undone, `1`, and one that goes on, `2`."""
    async with open_database(f"sqlite:///{tmp_path}/travel.db", METADATA) as database:
        world = World()
        world.fails("book seat", RefusedError(Reason("sold out", "12A")))
        async with runner_of(database, world) as runner:
            await run_trip(runner, database, world)
        await leave_trip(database, world, "2")
    return Settings(data=tmp_path)


async def test_sagas_that_go_on_are_listed_and_the_others_when_asked_for(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(settings, "list") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\S+\+00:00  2  trip  running  at 'book room'", line)
    assert await run(settings, "list", "--ended") == 0
    newest, oldest = capsys.readouterr().out.splitlines()
    assert newest == line
    assert oldest.endswith("  1  trip  compensated")


async def test_a_saga_is_shown_with_what_has_happened_to_it(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(settings, "show", "1") == 0
    first, reason, *history = capsys.readouterr().out.splitlines()
    assert first.endswith("  1  trip  compensated")
    assert reason == "undone because: sold out 12A"
    assert [line.partition("  ")[2] for line in history] == [
        "book room  done",
        "book seat  refused  sold out",
        "compensating  sold out",
        "book room  undone",
        "compensated  sold out",
    ]


async def test_an_unknown_saga_is_named(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(settings, "show", "3") == 1
    assert "there is no saga '3'" in capsys.readouterr().err
