"""Hosts a servicer for a test, in this process and behind a socket.

Tests take a `Host` and so run twice, once over each; what they prove of gRPC itself is then
proven of this package in the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

import grpc

from lib.grpc_inprocess.channel import LocalChannel
from lib.grpc_inprocess.options import Options
from lib.grpc_inprocess.server import LocalServer

LOCAL: Final = "in this process"
LOOPBACK: Final = "behind a socket"

Add = Callable[[Any], object]
"""Adds servicers to a server: `partial(add_GreeterServicer_to_server, Greeter())`."""

METHOD: Final = "/test.Raw/Method"


@dataclass
class Host:
    """Makes servers and channels over one transport, and closes them.

    Attributes:
        transport: LOCAL or LOOPBACK.
        stack: what is closed at the end.
        server: the server that was made last.
    """

    transport: str
    stack: AsyncExitStack
    server: grpc.aio.Server | None = None

    async def __call__(
        self,
        *add: Add,
        interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
        client_interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
        options: Options = (),
        client_options: Options = (),
        maximum_concurrent_rpcs: int | None = None,
        start: bool = True,
    ) -> Any:  # noqa: ANN401  # a channel; its callables are generic, tests are not
        """Start a server with what `add` adds, and give a channel to it."""
        settings: dict[str, Any] = {
            "interceptors": interceptors,
            "options": tuple(options),
            "maximum_concurrent_rpcs": maximum_concurrent_rpcs,
        }
        server, channel = self._pair(settings, client_interceptors, tuple(client_options))
        for each in add:
            each(server)
        if start:
            await server.start()
        self.server = server
        self.stack.push_async_callback(server.stop, None)
        return await self.stack.enter_async_context(channel)

    def _pair(
        self,
        settings: dict[str, Any],
        interceptors: Sequence[grpc.aio.ClientInterceptor],
        options: Sequence[tuple[str, object]],
    ) -> tuple[grpc.aio.Server, grpc.aio.Channel]:
        if self.transport == LOCAL:
            local = LocalServer(**settings)
            return local, LocalChannel(local, interceptors=interceptors, options=options)
        server = grpc.aio.server(**settings)
        port = server.add_insecure_port("127.0.0.1:0")
        target = f"127.0.0.1:{port}"
        return server, grpc.aio.insecure_channel(target, tuple(options), None, interceptors)


def raw(kind: str, behavior: Callable[..., Any], **serializers: Any) -> Add:  # noqa: ANN401
    """Add one method, named METHOD, whose messages are bytes.

    Args:
        kind: `unary_unary`, `unary_stream`, `stream_unary` or `stream_stream`.
        behavior: the handler.
        serializers: `request_deserializer` and `response_serializer`, if messages have a form.
    """
    make = getattr(grpc, f"{kind}_rpc_method_handler")
    _, service, method = METHOD.split("/")
    handler = grpc.method_handlers_generic_handler(service, {method: make(behavior, **serializers)})
    return lambda server: server.add_generic_rpc_handlers((handler,))
