"""Running services: what a service declares, where processes are, and the artifact's commands."""

from seam.runtime.command_line import main
from seam.runtime.service import GrpcServicer, Provided, Resources, Service
from seam.runtime.settings import Settings, database_location, settings_of

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
