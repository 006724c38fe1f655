"""How a call with streams really ended.

When a callee ends a call while the caller still writes, the write fails, and grpc.aio then replaces
the status that the callee sent by one of its own, INTERNAL: https://github.com/grpc/grpc/issues/36066.
The status is therefore noted whenever grpc.aio sets one, and its own is passed over if the callee's
was seen before, or comes soon after.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final, TypeVar

import grpc

T = TypeVar("T")

PATIENCE: Final = 1.0
"""Seconds in which the callee's status follows a write that failed."""

_OWN_DETAILS: Final = "Internal error from Core"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call's status and what came with it."""

    code: grpc.StatusCode
    details: str
    trailers: tuple[tuple[str, str | bytes], ...]


class OutcomeWatch:
    """Notes how one call ends."""

    __slots__ = ("_first", "_rpc")

    def __init__(self, rpc: grpc.aio.StreamStreamCall[bytes, bytes]) -> None:
        """Watch `rpc`, which has just been made."""
        self._rpc = rpc
        self._first: Outcome | None = None
        rpc.add_done_callback(self._note)

    async def outcome(self) -> Outcome:
        """How the call, which is done, ended."""
        end = monotonic() + PATIENCE
        # What is set first may be overwritten by grpc.aio, and what grpc.aio sets by the callee's.
        while (found := self._first or _outcome(self._rpc)).details == _OWN_DETAILS:
            self._first = None
            if monotonic() > end:
                break
            await asyncio.sleep(0.005)
        return found

    def _note(self, rpc: Any) -> None:  # noqa: ANN401
        self._first = _outcome(rpc)


def _outcome(rpc: Any) -> Outcome:  # noqa: ANN401
    return Outcome(
        _at_once(rpc.code()),
        _at_once(rpc.details()) or "",
        tuple(_at_once(rpc.trailing_metadata()) or ()),
    )


def _at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("grpc.aio sets no status before it tells that a call is done")
