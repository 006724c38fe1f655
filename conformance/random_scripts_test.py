"""Random scripts of calls within calls: nobody can tell over which transport they travelled.

A script says what a handler does and which calls it makes, and what is done to those calls: limits,
cancellations, groups, streams that break off. It runs over every transport, and what callers and
handlers saw must be the same. More of them: `SCRIPTS=2000`, from another seed: `SEED=7`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import time
from typing import Final

import pytest

from conformance.player import Log, Player
from conformance.scripts import Script, Writer
from conformance.wiring import TRANSPORTS, wired
from seam.bus import Bulkhead, Limits
from seam.bus.handler_task import settle

SCRIPTS: Final = int(os.environ.get("SCRIPTS", "40"))
SEED: Final = int(os.environ.get("SEED", "1"))
AT_A_TIME: Final = 20
PLACES: Final = 10_000


async def play(transport: str, scripts: list[Script]) -> list[Log]:
    """Play scripts side by side over a transport; gives what each of them logged."""
    player, bulkhead = Player(), Bulkhead("conformance", Limits(PLACES, 0))
    before = asyncio.all_tasks()
    async with wired(transport, handler=player, bulkhead=bulkhead) as wiring:
        player.itself = wiring.stub
        calls = (player.call(wiring.stub, script) for script in scripts)
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        failed = [(each, json.dumps(s)) for each, s in zip(outcomes, scripts, strict=True) if each]
        assert failed == [], transport
        await asyncio.gather(*player.shielded, return_exceptions=True)
        end = time.monotonic() + 20
        while bulkhead.free != PLACES and time.monotonic() < end:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        assert bulkhead.free == PLACES, "a place was never given back"
        assert await settle(5) == 0
    await asyncio.sleep(0.05)
    gc.collect()
    left = asyncio.all_tasks() - before
    assert not left, left
    return [player.logs[script["path"]] for script in scripts]


@pytest.mark.parametrize("transport", TRANSPORTS[1:])
async def test_random_scripts_look_the_same_over_every_transport(transport: str) -> None:
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: complaints.append(repr(context))
    )
    different: list[str] = []
    for first in range(0, SCRIPTS, AT_A_TIME):
        numbers = range(first, min(SCRIPTS, first + AT_A_TIME))
        scripts = [Writer(SEED * 1_000_000 + n).call(f"s{n}", 2) for n in numbers]
        seen = [[log] for log in await play(TRANSPORTS[0], scripts)]
        for script, logs, log in zip(scripts, seen, await play(transport, scripts), strict=True):
            others = [log]
            # Two moments may fall together; a difference shows every time.
            while not any(each in others for each in logs) and len(others) < 4:
                logs.extend(await play(TRANSPORTS[0], [script]))
                others.extend(await play(transport, [script]))
            if not any(each in others for each in logs):
                lines = [json.dumps(script), *map(str, sorted(logs[0] - others[0])), transport]
                different.append("\n  ".join([*lines, *map(str, sorted(others[0] - logs[0]))]))
    assert different == [], f"{len(different)} scripts:\n" + "\n".join(different)
    assert complaints == []
