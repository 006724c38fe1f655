"""Plays random scripts, as their caller and as their handler, for `random_scripts_test`."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

import anyio

from conformance.handler import Conformance, visible
from conformance.requests import chunk
from conformance.scripts import ERRORS, Script, Step
from conformance.v1.conformance import (
    Chunk,
    DownloadRequest,
    UploadResponse,
    WaitRequest,
    WaitResponse,
)
from conformance.v1.conformance_bus import ConformanceStub
from seam.call.context import current_call, remaining
from seam.call.metadata import Metadata
from seam.contract.errors import StatusError

SLACK: Final = 0.4
"""Seconds that a caller may be late."""

Log = Counter[tuple[str, str]]
"""How often which call saw what."""


class Player(Conformance):
    """Plays scripts, as their handler and as their caller, and logs what both see."""

    def __init__(self) -> None:
        """Make a player that has logged nothing."""
        super().__init__()
        self.logs: defaultdict[str, Log] = defaultdict(Counter)
        self.shielded: list[asyncio.Task[None]] = []

    def log(self, path: str, event: str) -> None:
        """Log what the call at a path saw."""
        self.logs[path.partition(".")[0]][path, event] += 1

    # As a handler.

    async def wait(self, request: WaitRequest) -> WaitResponse:
        """See `Writer`."""
        script = json.loads(request.key)
        async for _ in self._handle(script, _none()):
            raise AssertionError
        return WaitResponse(gave_up=False)

    async def download(self, request: DownloadRequest) -> AsyncIterator[Chunk]:
        """See `Writer`."""
        async for each in self._handle(json.loads(request.key), _none()):
            yield each

    async def upload(self, requests: AsyncIterator[Chunk]) -> UploadResponse:
        """See `Writer`."""
        first = await anext(requests)
        async for _ in self._handle(json.loads(first.key), requests):
            raise AssertionError
        return UploadResponse(count=1, size=1, in_order=True)

    async def converse(self, requests: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
        """See `Writer`."""
        first = await anext(requests)
        async for each in self._handle(json.loads(first.key), requests):
            yield each

    async def _handle(self, script: Script, requests: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
        path, task, call = script["path"], asyncio.current_task(), current_call.get()
        self.log(path, f"begun, sees {visible.get()!r} and {call and dict(call.metadata)}")
        visible.set(path)
        try:
            for step in script["steps"]:
                if step[0] == "send":
                    for number in range(step[1]):
                        yield chunk(number)
                    if script["reads"] != "all":
                        # Time for a caller to leave, however far away it is.
                        await asyncio.sleep(0.15)
                    self.log(path, "sent")
                else:
                    await self._play(path, step, requests)
            self.log(path, "completed")
        except GeneratorExit:
            self.log(path, "closed")
            raise
        except BaseException as error:
            self.log(path, f"ended by {type(error).__name__}")
            raise
        finally:
            assert asyncio.current_task() is task or script["kind"] in {"download", "converse"}
            assert visible.get() == path

    async def _play(self, path: str, step: Step, requests: AsyncIterator[Chunk]) -> None:
        async def play(steps: list[Step]) -> None:
            for each in steps:
                await self._play(path, each, requests)

        itself = asyncio.current_task()
        assert itself is not None
        match step:
            case ["sleep", seconds]:
                await asyncio.sleep(seconds)
            case ["fail", name]:
                error, details = ERRORS[name]
                raise error(*details)
            case ["cancel itself"]:
                itself.cancel()
                await asyncio.sleep(9)
            case ["cancelled child"]:
                child = asyncio.create_task(asyncio.sleep(9))
                child.cancel()
                await child
            case ["thread"]:
                await asyncio.to_thread(time.sleep, 0.001)
            case ["say", key, value]:
                call = current_call.get()
                assert call is not None
                call.set_trailing_metadata(key, value)
            case ["read", most]:
                count = 0
                async for _ in requests:
                    count += 1
                    if count == most:
                        break
                self.log(path, f"read {count}")
            case ["call", script]:
                assert self.itself is not None
                await self.call(self.itself, script)
                left = remaining()
                if left is not None and left < 0.03:
                    await asyncio.sleep(9)
            case ["group", parts]:
                async with asyncio.TaskGroup() as tasks:
                    for part in parts:
                        tasks.create_task(play(part))
            case ["limit", seconds, steps]:
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await play(steps)
            case ["scope", seconds, steps]:
                with anyio.move_on_after(seconds) as scope:
                    await play(steps)
                self.log(path, f"scope {scope.cancelled_caught}")
            case ["swallow", steps]:
                try:
                    await play(steps)
                except asyncio.CancelledError:
                    self.log(path, "swallowed")
            case ["tidy", steps, last]:
                try:
                    await play(steps)
                finally:
                    await play(last)
                    self.log(path, "tidied")
            case ["shield", steps]:
                shielded = asyncio.create_task(play(steps))
                self.shielded.append(shielded)
                await asyncio.shield(shielded)
            case _:
                raise AssertionError(step)

    # As a caller.

    async def call(self, stub: ConformanceStub, script: Script) -> None:
        """Make a call, and log how it ended; gives on only that the caller itself is cancelled."""
        path, after, begun = script["path"], script["after"], time.monotonic()
        metadata = Metadata({"from": path})
        task, seen, call = asyncio.current_task(), visible.get(), current_call.get()
        limits = [max(0.0, script["timeout"])]
        outcome = "?"
        try:
            making = self._make(stub, script, metadata)
            match script["how"]:
                case "plain":
                    outcome = await making
                case "limit":
                    limits.append(after)
                    async with asyncio.timeout(after):
                        outcome = await making
                case "wait_for":
                    limits.append(after)
                    outcome = await asyncio.wait_for(making, after)
                case "scope":
                    limits.append(after)
                    with anyio.move_on_after(after):
                        outcome = await making
                case "task":
                    outcome = await asyncio.create_task(making)
                case "cancel":
                    limits.append(after)
                    calling = asyncio.create_task(making)
                    await asyncio.wait([calling], timeout=after)
                    calling.cancel()
                    await asyncio.wait([calling])
                    outcome = "cancelled" if calling.cancelled() else calling.result()
        except TimeoutError:
            outcome = "limit"
        except BaseException as error:
            outcome = f"ended by {type(error).__name__}"
            raise
        finally:
            left = remaining()
            if left is not None and left < 0.03 and ("DEADLINE" in outcome or "ended" in outcome):
                # Which of two timers of the same moment is first, is nobody's promise.
                outcome = "out of time"
            if time.monotonic() - begun > min(limits) + SLACK:
                outcome += ", late"
            self.log(path, f"{outcome}, received {dict(metadata.received)}")
            assert asyncio.current_task() is task
            assert visible.get() == seen
            assert current_call.get() is call

    async def _make(self, stub: ConformanceStub, script: Script, metadata: Metadata) -> str:
        key, timeout = json.dumps(script), script["timeout"]

        async def requests() -> AsyncIterator[Chunk]:
            yield _chunk(key)
            for _ in range(script["requests"]):
                yield _chunk("")
            if script["ends"] == "raises":
                await asyncio.sleep(0.1)
                raise KeyError("the caller's own")
            if script["ends"] == "hangs":
                await asyncio.sleep(60)

        try:
            match script["kind"]:
                case "unary":
                    asked = WaitRequest(key=key, in_background=False)
                    await stub.wait(asked, timeout=timeout, metadata=metadata)
                    return "answered"
                case "upload":
                    await stub.upload(requests(), timeout=timeout, metadata=metadata)
                    return "answered"
                case "download":
                    request = DownloadRequest(count=0, size=0, key=key)
                    chunks = stub.download(request, timeout=timeout, metadata=metadata)
                case _:
                    chunks = stub.converse(requests(), timeout=timeout, metadata=metadata)
            if script["reads"] == "all":
                return f"answered {[each.number async for each in chunks]}"
            first = await anext(chunks, None)
            if script["reads"] == "one":
                await chunks.aclose()
        except StatusError as error:
            text = re.sub("[0-9a-f]{32}", "ID", str(error))
            return f"{type(error).__name__} {text[:200]}"
        except KeyError as error:
            return repr(error)
        return f"answered {first and first.number}"


async def _none() -> AsyncIterator[Chunk]:
    return
    yield


def _chunk(key: str) -> Chunk:
    return Chunk(number=0, data=b"", stop=False, refuse=False, key=key)
