"""What generated mocks are made of: a mock for each kind of method."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Generic, TypeVar

from seam.bus import HandlerRegistry, InProcessChannel, Registration
from seam.contract import MethodDescriptor
from seam.contract.errors import StatusError
from seam.contract.records import Record
from seam.testing.access import EVERYBODY

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)
A = TypeVar("A")


class _Mock(Generic[Q, S, A]):
    """Says what a method answers, and remembers what it was asked."""

    def __init__(self, method: MethodDescriptor[Q, S]) -> None:
        """Stand in for `method`; until it is programmed, a call is a failed assertion."""
        self._method = method
        self._answer: A | None = None
        self.requests: list[Q] = []

    def answers(self, function: A) -> None:
        """Answer every call with what `function` gives for its request or requests."""
        self._answer = function

    def _programmed(self) -> A:
        if self._answer is None:
            raise AssertionError(
                f"{self._method.full_name} was called, but the mock was not told what to answer"
            )
        return self._answer

    async def _noting(self, requests: AsyncIterator[Q]) -> AsyncIterator[Q]:
        async for request in requests:
            self.requests.append(request)
            yield request


class MockMethod(_Mock[Q, S, Callable[[Q], S | Awaitable[S]]]):
    """One method with one request and one response."""

    def returns(self, response: S) -> None:
        """Answer every call with `response`."""
        self.answers(lambda _: response)

    def raises(self, error: StatusError) -> None:
        """Answer every call with `error`."""

        def fail(_: Q) -> S:
            raise error

        self.answers(fail)

    async def __call__(self, request: Q, /) -> S:
        """Answer one call.

        Raises:
            AssertionError: nobody said what to answer.
        """
        self.requests.append(request)
        answer = self._programmed()(request)
        if inspect.isawaitable(answer):
            return await answer
        return answer


class MockServerStreaming(_Mock[Q, S, Callable[[Q], AsyncIterator[S]]]):
    """One method with one request and many responses."""

    def returns(self, *responses: S) -> None:
        """Answer every call with `responses`."""
        self.answers(lambda _: _stream(responses))

    def raises(self, error: StatusError, *, after: tuple[S, ...] = ()) -> None:
        """Answer every call with the responses `after` which it fails with `error`."""
        self.answers(lambda _: _stream(after, error))

    async def __call__(self, request: Q, /) -> AsyncIterator[S]:
        """Answer one call.

        Raises:
            AssertionError: nobody said what to answer.
        """
        self.requests.append(request)
        async for response in self._programmed()(request):
            yield response


class MockClientStreaming(_Mock[Q, S, Callable[[AsyncIterator[Q]], Awaitable[S]]]):
    """One method with many requests and one response."""

    def returns(self, response: S) -> None:
        """Read all requests of every call, then answer with `response`."""

        async def answer(requests: AsyncIterator[Q]) -> S:
            async for _ in requests:
                pass
            return response

        self.answers(answer)

    def raises(self, error: StatusError) -> None:
        """Answer every call with `error`, whatever it is sent."""

        async def fail(_: AsyncIterator[Q]) -> S:
            raise error

        self.answers(fail)

    async def __call__(self, requests: AsyncIterator[Q], /) -> S:
        """Answer one call.

        Raises:
            AssertionError: nobody said what to answer.
        """
        return await self._programmed()(self._noting(requests))


class MockBidirectional(_Mock[Q, S, Callable[[AsyncIterator[Q]], AsyncIterator[S]]]):
    """One method with many requests and many responses."""

    def returns(self, *responses: S) -> None:
        """Answer every call with `responses`, whatever it is sent."""
        self.answers(lambda _: _stream(responses))

    def raises(self, error: StatusError) -> None:
        """Answer every call with `error`, whatever it is sent."""
        self.answers(lambda _: _stream((), error))

    async def __call__(self, requests: AsyncIterator[Q], /) -> AsyncIterator[S]:
        """Answer one call.

        Raises:
            AssertionError: nobody said what to answer.
        """
        async for response in self._programmed()(self._noting(requests)):
            yield response


async def _stream(responses: tuple[S, ...], error: StatusError | None = None) -> AsyncIterator[S]:
    for response in responses:
        yield response
    if error is not None:
        raise error


def strict_channel(*registrations: Registration) -> InProcessChannel:
    """A channel to handlers or mocks, on which every record goes through its wire form.

    Who calls is not asked: a test calls in the place of any service or user.
    """
    registry = HandlerRegistry(policy=EVERYBODY)
    for registration in registrations:
        registry.register(registration)
    return InProcessChannel(registry, strict=True)
