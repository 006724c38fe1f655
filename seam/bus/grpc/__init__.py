"""Calls between processes, over gRPC."""

from seam.bus.grpc.channel import GrpcChannel
from seam.bus.grpc.connection import open_channel
from seam.bus.grpc.servicer import servicer

__all__ = ["GrpcChannel", "open_channel", "servicer"]
