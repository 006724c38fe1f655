"""Strict mode: every record of a call within the process goes through the wire codec."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from seam.bus.client_call import request_encoder, response_decoder
from seam.bus.interceptor import Invoke, StreamInvoke
from seam.bus.server_call import request_decoder, response_encoder
from seam.bus.streams import close
from seam.call.context import CallContext
from seam.codec.status import StatusCodec
from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import InvalidField, StatusError
from seam.contract.records import Record


def strict(method: MethodDescriptor[Any, Any], transport: Invoke) -> Invoke:
    """Send records through the wire codec, as a network would."""
    write_request, read_request = request_encoder(method), request_decoder(method)
    write_response, read_response = response_encoder(method), response_decoder(method)
    status = StatusCodec(method)

    async def invoke(request: Record, call: CallContext) -> Record:
        payload = write_request(request)
        try:
            answer = write_response(await transport(read_request(payload), call))
        except StatusError as error:
            raise status.unpack(status.pack(error)) from None
        return read_response(answer)

    return invoke


def strict_stream(method: MethodDescriptor[Any, Any], transport: StreamInvoke) -> StreamInvoke:
    """As `strict`, for calls with streams."""
    write_request, read_request = request_encoder(method), request_decoder(method)
    write_response, read_response = response_encoder(method), response_decoder(method)
    status = StatusCodec(method)

    async def invoke(requests: AsyncIterator[Record], call: CallContext) -> AsyncIterator[Record]:
        refused: list[InvalidField | StatusError] = []

        async def through_the_wire() -> AsyncIterator[Record]:
            async for request in requests:
                try:
                    payload = write_request(request)
                except (InvalidField, StatusError) as error:
                    refused.append(error)
                    raise
                yield read_request(payload)

        responses = transport(through_the_wire(), call)
        try:
            async for response in responses:
                yield read_response(write_response(response))
        except StatusError as error:
            # A request that cannot travel is the caller's own mistake.
            raise refused[0] if refused else status.unpack(status.pack(error)) from None
        finally:
            await close(responses)

    return invoke
