"""Running services: what a service declares, where processes are, and the artifact's commands."""

import gc

# These modules, and the libraries beneath them, make half a million objects that stay. To look
# through them for garbage, every 700 objects, takes a tenth of the time until a process is ready.
_collects = gc.isenabled()
gc.disable()

from seam.runtime.command_line import main  # noqa: E402
from seam.runtime.service import GrpcServicer, Provided, Resources, Service  # noqa: E402
from seam.runtime.settings import Settings, database_location, settings_of  # noqa: E402

gc.freeze()
if _collects:
    gc.enable()

__all__ = [
    "GrpcServicer",
    "Provided",
    "Resources",
    "Service",
    "Settings",
    "database_location",
    "main",
    "settings_of",
]
