"""What generated mocks are made of."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from seam.bus import Binding, InProcessChannel, UnaryMethod
from seam.errors import StatusError
from seam.records import Record

Q = TypeVar("Q", bound=Record)
S = TypeVar("S", bound=Record)


class MockMethod(Generic[Q, S]):
    """One method of a mock: says what it answers, and remembers what it was asked."""

    def __init__(self, method: UnaryMethod[Q, S]) -> None:
        """Stand in for `method`; until it is programmed, a call is a failed assertion."""
        self._method = method
        self._answer: Callable[[Q], S | Awaitable[S]] | None = None
        self.requests: list[Q] = []

    def returns(self, response: S) -> None:
        """Answer every call with `response`."""
        self._answer = lambda _: response

    def raises(self, error: StatusError) -> None:
        """Answer every call with `error`."""

        def fail(_: Q) -> S:
            raise error

        self._answer = fail

    def answers(self, function: Callable[[Q], S | Awaitable[S]]) -> None:
        """Answer every call with what `function` gives for its request."""
        self._answer = function

    async def __call__(self, request: Q, /) -> S:
        """Answer one call.

        Raises:
            AssertionError: nobody said what to answer.
        """
        self.requests.append(request)
        if self._answer is None:
            raise AssertionError(
                f"{self._method.full_name} was called, but the mock was not told what to answer"
            )
        answer = self._answer(request)
        if inspect.isawaitable(answer):
            return await answer
        return answer


def mock_channel(*bindings: Binding) -> InProcessChannel:
    """A strict channel to mocks: what they are asked and answer goes through its wire form."""
    channel = InProcessChannel(strict=True)
    for binding in bindings:
        channel.bind(binding)
    return channel
