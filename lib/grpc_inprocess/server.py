"""Hosts `grpc.aio` servicers for the channels of this process.

Every RPC is a task of its own, which runs in a copy of the context variables that were set when
the server was started, exactly as behind a socket: nothing of the caller is seen by the handler
and nothing of the handler by the caller.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import grpc

from lib.grpc_inprocess.handling import Handler, handle, unexpected
from lib.grpc_inprocess.options import Options, size_limits
from lib.grpc_inprocess.rpc import Rpc
from lib.grpc_inprocess.status import Status
from lib.grpc_inprocess.stream import Wakeup

_LOGGER: Final = logging.getLogger(__name__)
_NOT_FOUND: Final = Status(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
_CANCELLED: Final = Status(grpc.StatusCode.CANCELLED, "The handler has been cancelled.")
_TOO_MANY: Final = Status(grpc.StatusCode.RESOURCE_EXHAUSTED, "Concurrent RPC limit exceeded!")
_STOPPING: Final = Status(grpc.StatusCode.UNAVAILABLE, "Cancelling all calls")

Find: TypeAlias = "Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]"


class _State(enum.Enum):
    READY = "has not been started"
    RUNNING = "is running"
    STOPPING = "is being stopped"
    STOPPED = "has been stopped"


@dataclass(frozen=True, slots=True)
class _CallDetails(grpc.HandlerCallDetails):
    """What server interceptors see of an RPC."""

    method: str
    invocation_metadata: Any


class LocalServer(grpc.aio.Server):
    """Answers the calls of `LocalChannel`s, see `grpc.aio.Server`.

    Attributes:
        size_limits: what it sends and accepts.
        stopped: whether calls are answered no more.
        changed: wakes what waits for a change of this server's or its channels' state.
    """

    def __init__(
        self,
        *,
        migration_thread_pool: Executor | None = None,
        handlers: Sequence[grpc.GenericRpcHandler] | None = None,
        interceptors: Sequence[grpc.aio.ServerInterceptor] | None = None,
        options: Options | None = None,
        maximum_concurrent_rpcs: int | None = None,
        compression: grpc.Compression | None = None,  # noqa: ARG002
    ) -> None:
        """Make a server, with the arguments of `grpc.aio.server`.

        Args:
            migration_thread_pool: where plain handlers run; the event loop's threads by default.
            handlers: generic handlers to begin with.
            interceptors: run before every handler, outermost first.
            options: limits of sizes; see `lib.grpc_inprocess.options`.
            maximum_concurrent_rpcs: how many RPCs are handled at once; more are refused.
            compression: has no effect, since nothing is compressed.

        Raises:
            ValueError: an interceptor is not a `grpc.aio.ServerInterceptor`, or the number of
                RPCs is not positive.
        """
        self._threads = migration_thread_pool
        self._generic_handlers = list(handlers or ())
        self._method_handlers: dict[str, Handler] = {}
        self._interceptors = tuple(interceptors or ())
        for interceptor in self._interceptors:
            if not isinstance(interceptor, grpc.aio.ServerInterceptor):
                raise ValueError(f"{interceptor!r} is not a grpc.aio.ServerInterceptor")
        if maximum_concurrent_rpcs is not None and maximum_concurrent_rpcs <= 0:
            raise ValueError("maximum_concurrent_rpcs should be a positive integer")
        self._maximum = maximum_concurrent_rpcs
        self._state = _State.READY
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context = Context()
        self._under_way: dict[asyncio.Task[None], Rpc] = {}
        self._admitted: set[Rpc] = set()
        self._waiting: dict[Rpc, None] = {}
        self.size_limits = size_limits(options)
        self.stopped = False
        self.changed = Wakeup()

    @property
    def running(self) -> bool:
        """Whether calls are answered."""
        return self._state is _State.RUNNING

    def add_generic_rpc_handlers(
        self, generic_rpc_handlers: Iterable[grpc.GenericRpcHandler]
    ) -> None:
        """Add handlers that are asked, in turn, for methods that nobody registered by name."""
        self._generic_handlers.extend(generic_rpc_handlers)

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, Handler]
    ) -> None:
        """Add the handlers of a service, by their methods' names."""
        for name, handler in method_handlers.items():
            self._method_handlers[f"/{service_name}/{name}"] = handler

    def add_insecure_port(self, address: str) -> int:
        """Not supported: add the servicer to a `grpc.aio.server()` as well, which listens."""
        raise NotImplementedError(
            f"{address}: a LocalServer has no ports, only LocalChannels of its process reach it. "
            "Add the servicer to a grpc.aio.server() too, if others must"
        )

    def add_secure_port(
        self,
        address: str,
        server_credentials: grpc.ServerCredentials,  # noqa: ARG002
    ) -> int:
        """Not supported, see `add_insecure_port`."""
        return self.add_insecure_port(address)

    async def start(self) -> None:
        """Begin to answer calls, those first that wait until the server is ready.

        Raises:
            UsageError: the server has been stopped.
        """
        if self._state is _State.RUNNING:
            return
        if self._state is not _State.READY:
            raise grpc.aio.UsageError("Server not in ready state")
        self._state = _State.RUNNING
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        waiting, self._waiting = self._waiting, {}
        for rpc in waiting:
            self._answer(rpc)
        self.changed.wake()

    async def stop(self, grace: float | None) -> None:
        """Take no more calls, and return when no handler runs any more.

        Args:
            grace: seconds that those under way have; None for none.
        """
        if self._state in (_State.READY, _State.STOPPED):
            return
        self._state = _State.STOPPING
        self.stopped = True
        self.changed.wake()
        # A handler may stop its own server; it cannot wait for itself.
        me = asyncio.current_task()
        under_way = [task for task in self._under_way if task is not me]
        if grace and under_way:
            await asyncio.wait(under_way, timeout=grace)
        for rpc in list(self._under_way.values()):
            rpc.terminate(_STOPPING)
        if under_way:
            await asyncio.wait(under_way)
        self._state = _State.STOPPED
        self.changed.wake()

    async def wait_for_termination(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109
        """Wait until the server has been stopped.

        Args:
            timeout: seconds to wait at most.

        Returns:
            Whether the time ran out before.
        """
        try:
            async with asyncio.timeout(timeout):
                while self._state is not _State.STOPPED:
                    await self.changed.wait()
        except TimeoutError:
            return True
        return False

    def accept(self, rpc: Rpc, *, wait_for_ready: bool) -> None:
        """Answer an RPC.

        Args:
            rpc: made by a channel.
            wait_for_ready: whether it waits for the server to start; it fails otherwise.
        """
        if rpc.failing:
            return
        if self._state is _State.RUNNING:
            self._answer(rpc)
        elif wait_for_ready:
            self._waiting[rpc] = None
            rpc.add_done_callback(lambda: self._waiting.pop(rpc, None))
        else:
            details = f"the server of {rpc.method} in this process {self._state.value}"
            rpc.fail(Status(grpc.StatusCode.UNAVAILABLE, details))

    def loop_for(self, method: str) -> asyncio.AbstractEventLoop:
        """The event loop on which a call is made and answered.

        Raises:
            RuntimeError: it is another, or there is none.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not None and loop is not self._loop:
            raise RuntimeError(
                f"{method} is called from another event loop than its LocalServer runs on; "
                "make the call there, or give the other loop a grpc.aio channel"
            )
        return loop

    def _answer(self, rpc: Rpc) -> None:
        if self._maximum is None or len(self._admitted) < self._maximum:
            self._admitted.add(rpc)
        task = rpc.loop.create_task(
            self._handle(rpc), name=rpc.method, context=self._context.copy()
        )
        self._under_way[task] = rpc
        rpc.begin(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        # A task that is cancelled before its first step never comes to the end of `_handle`.
        self._admitted.discard(self._under_way.pop(task))

    async def _handle(self, rpc: Rpc) -> None:
        try:
            handler = await self._find(rpc)
            if handler is None:
                rpc.answer(_NOT_FOUND)
            elif rpc not in self._admitted:
                rpc.answer(_TOO_MANY)
            else:
                await handle(rpc, handler, self._threads)
        except asyncio.CancelledError:
            # Without effect when it was the RPC's end that cancelled the handler.
            rpc.answer(_CANCELLED)
        except Exception as error:
            _LOGGER.exception("an interceptor failed before %s", rpc.method)
            rpc.answer(Status(grpc.StatusCode.UNKNOWN, unexpected(error)))
        finally:
            # Before its caller goes on, who may call again at once.
            self._admitted.discard(rpc)

    async def _find(self, rpc: Rpc) -> Handler | None:
        details = _CallDetails(rpc.method, rpc.metadata)
        if not self._interceptors:
            return self._look_up(details)
        return await self._from_interceptor(0)(details)

    def _from_interceptor(self, index: int) -> Find:
        """What an interceptor is given as continuation: the look-up from the next one on."""

        async def find(details: grpc.HandlerCallDetails) -> Handler | None:
            if index == len(self._interceptors):
                return self._look_up(details)
            interceptor = self._interceptors[index]
            return await interceptor.intercept_service(self._from_interceptor(index + 1), details)

        return find

    def _look_up(self, details: grpc.HandlerCallDetails) -> Handler | None:
        handler = self._method_handlers.get(details.method)
        if handler is not None:
            return handler
        for generic in self._generic_handlers:
            found = generic.service(details)
            if found is not None:
                return found
        return None
