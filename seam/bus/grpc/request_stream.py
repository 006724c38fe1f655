"""How a stream of requests says that it is whole.

HTTP/2 ends a stream of requests with a flag, and grpc.aio shows a handler the same end when the
stream was whole and when its caller was cancelled, passed its deadline or died: what was meant as
"all of it" cannot be told from "as far as I came". Between our own processes the end is therefore
said: a method with a stream of requests has a second path, on which the last request is followed by
`END`. A stream that stops without it broke off.

A callee that is not ours does not know that path, and says so before it has read anything. It is
then called on the plain path. A caller that is not ours takes the plain path by itself; there a
stream that broke off is told from a whole one by what follows: gRPC cancels the handler of a call
that has lost its caller, mostly within a millisecond, and the end of such a stream is held back for
longer than that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import grpc

from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import Code, StatusError
from seam.contract.records import Record

END: Final = b"\x00"
"""Follows the last request. No message begins with it: there is no field of the number 0."""

ACCEPTED: Final = "seam-end-of-stream"
"""Key of the initial metadata by which a callee says that it knows the second path."""

_PATH_SUFFIX: Final = "+end"

_HELD_BACK: Final = 0.02
"""Seconds in which gRPC cancels the handler of a stream that has ended because it broke off."""

_PATIENCE: Final = 5.0
"""Seconds after which a handler whose stream broke off is told so, if gRPC has not cancelled it."""


def name_with_end(method: MethodDescriptor[Any, Any]) -> str:
    """The method's name on its second path."""
    return method.name + _PATH_SUFFIX


def names(method: MethodDescriptor[Any, Any]) -> tuple[str, ...]:
    """The names under which a method is called over gRPC."""
    if method.kind.client_streaming:
        return method.name, name_with_end(method)
    return (method.name,)


async def marked(
    payloads: AsyncIterator[bytes], accepted: asyncio.Future[bool]
) -> AsyncIterator[bytes]:
    """Follow the requests of a whole stream with `END`.

    Args:
        payloads: the requests; they are not read before they are accepted.
        accepted: whether the callee knows the second path.
    """
    if await accepted:
        async for payload in payloads:
            yield payload
        yield END


async def is_accepted(rpc: grpc.aio.StreamStreamCall[bytes, bytes]) -> bool:
    """Find out whether the callee of a call on the second path knows that path.

    Returns:
        False when it does not, and has read nothing. True also when the call has failed otherwise.
    """
    if any(key == ACCEPTED for key, _ in await rpc.initial_metadata()):
        return True
    if rpc.done():
        return await rpc.code() is not grpc.StatusCode.UNIMPLEMENTED
    rpc.cancel()
    return False


async def until_end(
    payloads: AsyncIterator[bytes], read: Callable[[bytes], Record]
) -> AsyncIterator[Record]:
    """Read a stream of requests on the second path.

    Raises:
        StatusError: CANCELLED, because the stream broke off.
    """
    async for payload in payloads:
        if payload == END:
            return
        yield read(payload)
    await asyncio.sleep(_PATIENCE)
    raise StatusError(Code.CANCELLED, "the stream of requests broke off")


async def until_half_close(
    payloads: AsyncIterator[bytes], read: Callable[[bytes], Record]
) -> AsyncIterator[Record]:
    """Read a stream of requests on the plain path, see the module."""
    async for payload in payloads:
        yield read(payload)
    await asyncio.sleep(_HELD_BACK)
