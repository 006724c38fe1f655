"""Calls between processes, over NATS; `protocol.py` says how."""

from seam.bus.nats.channel import NatsChannel, open_nats
from seam.bus.nats.server import NatsServer, serve_nats

__all__ = ["NatsChannel", "NatsServer", "open_nats", "serve_nats"]
