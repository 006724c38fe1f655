"""What every service stands on: records, the bus, persistence, HTTP and processes."""

import os

# gRPC reads it when it is imported: docs/adr/0008-grpcio-version-and-flags.md.
os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_client,-event_engine_listener")
