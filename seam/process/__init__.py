"""Running services: what a service declares, where processes are, and the artifact's commands."""

from seam.process.command_line import main
from seam.process.service import GrpcServicer, Resources, Service
from seam.process.settings import Settings, database_location

__all__ = ["GrpcServicer", "Resources", "Service", "Settings", "database_location", "main"]
