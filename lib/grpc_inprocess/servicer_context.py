"""The context that an `async` handler is given.

It stands between the handler and its RPC: it parses and serializes messages, keeps the code,
details and trailing metadata that the handler sets for the end, and sends the status at once
when the handler aborts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn, TypeVar, cast

import grpc

from lib.grpc_inprocess.metadata import InvalidMetadataError, Pairs, checked_trailing
from lib.grpc_inprocess.rpc import Rpc
from lib.grpc_inprocess.serialization import (
    Deserializer,
    Serializer,
    parsed_by_server,
    serialized_by_server,
)
from lib.grpc_inprocess.status import Status, status_code
from lib.grpc_inprocess.stream import EndedError

Q = TypeVar("Q")
S = TypeVar("S")

PEER: Final = "inproc"
"""What `peer()` says; gRPC's own in-process transport of other languages has the same name."""

_AUTH_CONTEXT: Final = {
    "transport_security_type": (b"insecure",),
    "security_level": (b"TSI_SECURITY_NONE",),
}
_FINISHED: Final = "RPC already finished."


class LocalServicerContext(grpc.aio.ServicerContext[Q, S]):
    """See `grpc.aio.ServicerContext`, whose words hold for every method here."""

    def __init__(self, rpc: Rpc, deserializer: Deserializer, serializer: Serializer) -> None:
        """Make the context of one handler.

        Args:
            rpc: what the handler answers.
            deserializer: parses requests.
            serializer: serializes responses.
        """
        self.rpc = rpc
        self.abort_error: grpc.aio.AbortError | None = None
        self.callbacks: list[Any] = []
        self._deserializer = deserializer
        self._serializer = serializer
        self._given_code: object = None
        self._code = grpc.StatusCode.OK
        self._details = ""
        self._trailing_metadata: Pairs = ()

    def raise_if_over(self) -> None:
        """Keep a handler from going on after its RPC is over.

        Raises:
            AbortError: it has aborted, and suppressed the error.
            UsageError: it has answered.
            InternalError: the client has gone away, and the handler suppressed its cancellation.
        """
        if self.abort_error is not None:
            raise self.abort_error
        if self.rpc.answered:
            raise grpc.aio.UsageError(_FINISHED)
        if self.rpc.over:
            raise grpc.aio.InternalError(f"{self.rpc.method}: the RPC has been ended by its client")

    def status(self) -> Status:
        """The status that the handler has set."""
        return Status(self._code, self._details, self._trailing_metadata)

    async def read(self) -> Q:
        """The next request, or `grpc.aio.EOF`."""
        self.raise_if_over()
        message = await self.rpc.receive_request()
        self.raise_if_over()
        if message is None:
            return cast(Q, grpc.aio.EOF)
        return cast(Q, parsed_by_server(self._deserializer, message))

    async def write(self, message: S) -> None:
        """Send a response; waits while the client has too much to read already."""
        self.raise_if_over()
        try:
            await self.rpc.send_response(serialized_by_server(self._serializer, message))
        except EndedError:
            self.raise_if_over()
            raise

    async def send_initial_metadata(
        self, initial_metadata: grpc.aio.Metadata | Iterable[tuple[str, str | bytes]]
    ) -> None:
        """Open the response; may be called once, before the first message."""
        self.raise_if_over()
        if self.rpc.initial_metadata is not None:
            raise grpc.aio.UsageError("Send initial metadata failed: already sent")
        try:
            self.rpc.open_response(tuple(initial_metadata))
        except InvalidMetadataError as error:
            raise grpc.aio.InternalError(str(error)) from None

    async def abort(
        self,
        code: grpc.StatusCode,
        details: str = "",
        trailing_metadata: grpc.aio.Metadata | Iterable[tuple[str, str | bytes]] = (),
    ) -> NoReturn:
        """End the RPC with an error, at once; always raises.

        Raises:
            AbortError: as it should; let it pass.
            UsageError: the RPC was aborted before.
            TypeError: an argument has the wrong type; gRPC takes only a tuple of pairs.
            AssertionError: the code is OK.
        """
        _require("details", details, str)
        _require("trailing_metadata", trailing_metadata, tuple)
        if self.abort_error is not None:
            raise grpc.aio.UsageError("Abort already called!")
        # The status set so far counts where the arguments say nothing.
        status = Status(
            status_code(code),
            details or self._details,
            checked_trailing(trailing_metadata) or self._trailing_metadata,
        )
        if status.code is grpc.StatusCode.OK:
            raise AssertionError("Expecting non-ok status code.")
        self.rpc.answer(status)
        self.set_code(code)
        self._details, self._trailing_metadata = status.details, status.trailing_metadata
        self.abort_error = grpc.aio.AbortError("Locally aborted.")
        raise self.abort_error

    async def abort_with_status(self, status: grpc.Status) -> NoReturn:
        """As `abort`, for what `grpc_status.rpc_status.to_status` makes."""
        await self.abort(status.code, status.details, status.trailing_metadata)

    def set_trailing_metadata(
        self, trailing_metadata: grpc.aio.Metadata | Iterable[tuple[str, str | bytes]]
    ) -> None:
        """Metadata to send with the status."""
        self._trailing_metadata = checked_trailing(trailing_metadata)

    def invocation_metadata(self) -> grpc.aio.Metadata | None:
        """The client's metadata: a tuple of named pairs, as gRPC's own context gives it."""
        return cast("grpc.aio.Metadata", self.rpc.metadata)

    def set_code(self, code: grpc.StatusCode) -> None:
        """The code to send at the end, as a `grpc.StatusCode` or its number."""
        self._given_code = code
        self._code = status_code(code)

    def set_details(self, details: str) -> None:
        """The text to send at the end.

        Raises:
            TypeError: it is not text.
        """
        _require("details", details, str)
        self._details = details or ""

    def set_compression(self, compression: grpc.Compression) -> None:  # noqa: ARG002
        """Nothing is compressed in a process; when it may be asked for is checked all the same.

        Raises:
            RuntimeError: the response is open already.
        """
        if self.rpc.initial_metadata is not None:
            raise RuntimeError(
                "Compression setting must be specified before sending initial metadata"
            )

    def disable_next_message_compression(self) -> None:
        """Nothing is compressed in a process."""

    def peer(self) -> str:
        """Who calls: `inproc`."""
        return PEER

    def peer_identities(self) -> Iterable[bytes] | None:
        """None: nobody has authenticated, as on an insecure port."""
        return None

    def peer_identity_key(self) -> str | None:
        """None: nobody has authenticated, as on an insecure port."""
        return None

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """What an insecure port says."""
        return {key: list(values) for key, values in _AUTH_CONTEXT.items()}

    def time_remaining(self) -> float | None:  # type: ignore[override]  # the stubs forget None
        """Seconds that the client grants, at least 0; None without a deadline."""
        return self.rpc.time_remaining()

    def trailing_metadata(self) -> grpc.aio.Metadata:
        """What was set: a tuple of pairs, as gRPC's own context gives it."""
        return cast("grpc.aio.Metadata", self._trailing_metadata)

    def code(self) -> grpc.StatusCode:
        """What was set as code; None when nothing was."""
        return cast(grpc.StatusCode, self._given_code)

    def details(self) -> str:
        """What was set as details."""
        return self._details

    def add_done_callback(self, callback: Any) -> None:  # noqa: ANN401
        """Call `callback` with this context when the handler has come to its end."""
        self.callbacks.append(callback)

    def cancelled(self) -> bool:
        """Whether the handler has set CANCELLED. As in gRPC, the client's wish does not show."""
        return self._code is grpc.StatusCode.CANCELLED

    def done(self) -> bool:
        """Whether the status was sent."""
        return self.rpc.answered


def _require(argument: str, value: object, kind: type) -> None:
    # The exact types, as in gRPC: what passes here must also pass on the day of the break-out.
    if value is not None and not isinstance(value, kind):
        raise TypeError(
            f"Argument '{argument}' has incorrect type "
            f"(expected {kind.__name__}, got {type(value).__name__})"
        )
