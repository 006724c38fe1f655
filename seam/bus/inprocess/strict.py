"""Strict mode: every record of a call within the process goes through the wire codec."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from seam.bus.client_call import request_encoder, response_decoder
from seam.bus.failures import internal
from seam.bus.interceptor import Invoke, StreamInvoke
from seam.bus.server_call import request_decoder, response_encoder
from seam.bus.streams import close
from seam.call.context import CallContext
from seam.codec.changed_field import check_unchanged
from seam.codec.status import StatusCodec
from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import InvalidField, StatusError
from seam.contract.records import Record


def strict(method: MethodDescriptor[Any, Any], transport: Invoke) -> Invoke:
    """Send records through the wire codec, as a network would."""
    write_request, read_request = request_encoder(method), request_decoder(method)
    carried, status = _response_carrier(method), StatusCodec(method)

    async def invoke(request: Record, call: CallContext) -> Record:
        payload = write_request(request)
        try:
            sent = read_request(payload)
            check_unchanged(request, sent)
            response = await transport(sent, call)
            received = carried(response)
        except StatusError as error:
            raise status.unpack(status.pack(error)) from None
        return received

    return invoke


def strict_stream(method: MethodDescriptor[Any, Any], transport: StreamInvoke) -> StreamInvoke:
    """As `strict`, for calls with streams."""
    write_request, read_request = request_encoder(method), request_decoder(method)
    carried, status = _response_carrier(method), StatusCodec(method)

    async def invoke(requests: AsyncIterator[Record], call: CallContext) -> AsyncIterator[Record]:
        refused: list[InvalidField | StatusError] = []

        async def through_the_wire() -> AsyncIterator[Record]:
            async for request in requests:
                try:
                    payload = write_request(request)
                    sent = read_request(payload)
                    check_unchanged(request, sent)
                except (InvalidField, StatusError) as error:
                    refused.append(error)
                    raise
                yield sent

        responses = transport(through_the_wire(), call)
        try:
            async for response in responses:
                yield carried(response)
        except StatusError as error:
            # A request that cannot travel is the caller's own mistake.
            raise refused[0] if refused else status.unpack(status.pack(error)) from None
        finally:
            await close(responses)

    return invoke


def _response_carrier(method: MethodDescriptor[Any, Any]) -> Callable[[Record], Record]:
    write, read = response_encoder(method), response_decoder(method)

    def carry(response: Record) -> Record:
        received = read(write(response))
        try:
            check_unchanged(response, received)
        except InvalidField as error:
            raise internal(error, method) from None
        return received

    return carry
