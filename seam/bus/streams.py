"""Streams of records as asynchronous iterators."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypeVar

from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import Code, StatusError

T = TypeVar("T")


async def once(item: T) -> AsyncIterator[T]:
    """A stream of one item."""
    yield item


async def only(items: AsyncIterator[T], method: MethodDescriptor[Any, Any]) -> T:
    """The one item of a stream.

    Raises:
        StatusError: INTERNAL, because there is none or a second one.
    """
    found: list[T] = []
    async for item in items:
        found.append(item)
        if len(found) > 1:
            break
    if len(found) != 1:
        count = "several records" if found else "no record"
        raise StatusError(Code.INTERNAL, f"{method.full_name}: {count}, expected one")
    return found[0]


async def close(iterator: object) -> None:
    """Close an asynchronous iterator that can be closed."""
    aclose = getattr(iterator, "aclose", None)
    if aclose is not None:
        await aclose()
