"""The context that a plain handler is given, one that is not `async` and runs in a thread.

Calls that wait are made on the event loop, and the thread waits for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any, NoReturn, TypeVar

import grpc

from lib.grpc_inprocess.servicer_context import LocalServicerContext

T = TypeVar("T")


class BlockingServicerContext(grpc.ServicerContext):
    """See `grpc.ServicerContext`. All of it may be used from the handler's thread."""

    def __init__(
        self, context: LocalServicerContext[Any, Any], loop: asyncio.AbstractEventLoop
    ) -> None:
        """Make the context of one handler.

        Args:
            context: does the work.
            loop: where it does it.
        """
        self._context = context
        self._loop = loop

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run `coroutine` on the event loop and wait for it in this thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def requests(self) -> Iterator[Any]:
        """The client's requests, one by one."""
        while (request := self.wait(self._context.read())) is not grpc.aio.EOF:
            yield request

    def write(self, message: object) -> None:
        """Send a response; waits while the client has too much to read already."""
        self.wait(self._context.write(message))

    def is_active(self) -> bool:
        """Whether somebody waits for this handler."""
        return not self._context.rpc.over

    def time_remaining(self) -> float | None:  # type: ignore[override]  # the stubs forget None
        """Seconds that the client grants, at least 0; None without a deadline."""
        return self._context.time_remaining()

    def cancel(self) -> bool:
        """End the RPC with CANCELLED; False when it is over."""
        if self._context.rpc.over:
            return False
        self._context.set_code(grpc.StatusCode.CANCELLED)
        self._loop.call_soon_threadsafe(self._context.rpc.answer, self._context.status())
        return True

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Call `callback` when the handler has come to its end; False when it has already."""
        if self._context.rpc.over:
            return False
        self._context.add_done_callback(lambda _: callback())
        return True

    def invocation_metadata(self) -> Any:  # noqa: ANN401
        """The client's metadata: a tuple of named pairs."""
        return self._context.invocation_metadata()

    def peer(self) -> str:
        """Who calls: `inproc`."""
        return self._context.peer()

    def peer_identities(self) -> Iterable[bytes] | None:
        """None: nobody has authenticated, as on an insecure port."""
        return self._context.peer_identities()

    def peer_identity_key(self) -> str | None:
        """None: nobody has authenticated, as on an insecure port."""
        return self._context.peer_identity_key()

    def auth_context(self) -> Any:  # noqa: ANN401
        """What an insecure port says."""
        return self._context.auth_context()

    def set_compression(self, compression: grpc.Compression) -> None:
        """See `LocalServicerContext.set_compression`."""
        self._context.set_compression(compression)

    def disable_next_message_compression(self) -> None:
        """Nothing is compressed in a process."""

    def send_initial_metadata(self, initial_metadata: Any) -> None:  # noqa: ANN401
        """Open the response; may be called once, before the first message."""
        self.wait(self._context.send_initial_metadata(initial_metadata))

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:  # noqa: ANN401
        """Metadata to send with the status."""
        self._context.set_trailing_metadata(trailing_metadata)

    def abort(
        self,
        code: grpc.StatusCode,
        details: str = "",
        trailing_metadata: Any = (),  # noqa: ANN401
    ) -> NoReturn:
        """End the RPC with an error, at once; see `LocalServicerContext.abort`."""
        self.wait(self._context.abort(code, details, trailing_metadata))

    def abort_with_status(self, status: grpc.Status) -> NoReturn:
        """As `abort`, for what `grpc_status.rpc_status.to_status` makes."""
        self.wait(self._context.abort_with_status(status))

    def set_code(self, code: grpc.StatusCode) -> None:
        """The code to send at the end, as a `grpc.StatusCode` or its number."""
        self._context.set_code(code)

    def set_details(self, details: str) -> None:
        """The text to send at the end."""
        self._context.set_details(details)

    def trailing_metadata(self) -> Any:  # noqa: ANN401
        """What was set: a tuple of pairs."""
        return self._context.trailing_metadata()

    def code(self) -> grpc.StatusCode:
        """What was set as code; None when nothing was."""
        return self._context.code()

    def details(self) -> bytes:
        """What was set as details."""
        return self._context.details()  # type: ignore[return-value]  # text, whatever stubs say
