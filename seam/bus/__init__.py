"""The message bus: how one service reaches another, in this process or over a network.

Generated stubs stand on a `Channel`; a process registers handlers and wires stubs to channels.
"""

from seam.bus.bulkhead import Bulkhead, Limits
from seam.bus.channel import Channel
from seam.bus.grpc import BELIEVED, CERTIFIED, GrpcChannel, open_channel, servicer
from seam.bus.inprocess import InProcessChannel
from seam.bus.interceptor import Interceptor, Invoke, StreamInvoke
from seam.bus.registration import Registration
from seam.bus.registry import HandlerRegistry
from seam.bus.stream import ResponseStream

__all__ = [
    "BELIEVED",
    "CERTIFIED",
    "Bulkhead",
    "Channel",
    "GrpcChannel",
    "HandlerRegistry",
    "InProcessChannel",
    "Interceptor",
    "Invoke",
    "Limits",
    "Registration",
    "ResponseStream",
    "StreamInvoke",
    "open_channel",
    "servicer",
]
