"""The command `render`: writes configuration for engines that others keep.

What it needs is imported when it is run: most often an artifact is to serve, and at once.
"""

from __future__ import annotations

from typing import Any, Final

from cyclopts import App

from seam.runtime import Settings
from seam.runtime.service_settings import SettingsError
from seam.runtime.settings import Artifact
from seam.runtime.topology import Address

FRONT: Final = "0.0.0.0:8080"


def add_render_commands(app: App, artifact: Artifact) -> None:
    """Give an artifact that holds the whole system the command `render`."""
    render = App(
        name="render",
        help="Write configuration for other engines, from the contracts and the topology.",
        version_flags=[],
    )
    app.command(render)

    @render.command
    def envoy(*, listen: str = FRONT, settings: Settings = Settings()) -> None:  # noqa: B008
        """Print the configuration of an Envoy in front of the services of a topology.

        Args:
            listen: HOST:PORT where Envoy takes requests.
            settings: where the system's parts are.
        """
        from director.rendering.envoy import envoy_configuration  # noqa: PLC0415

        try:
            address = Address.parse(listen)
        except ValueError as error:
            raise SettingsError(f"--listen: {error}") from None
        topology = artifact.topology(settings)
        _print([envoy_configuration(topology, artifact.services, address)])

    @render.command
    def compose(*, settings: Settings = Settings()) -> None:  # noqa: B008
        """Print a Compose file with a container for each process of a topology.

        Args:
            settings: where the system's parts are.
        """
        from director.rendering.compose import compose_file  # noqa: PLC0415
        from director.rendering.containers import in_containers  # noqa: PLC0415

        topology = artifact.topology(settings)
        _print([compose_file(in_containers(topology, artifact.services))])

    @render.command
    def kubernetes(
        *,
        version: str = "latest",
        settings: Settings = Settings(),  # noqa: B008
    ) -> None:
        """Print manifests for Kubernetes with a Deployment for each process of a topology.

        Args:
            version: the tag of the images.
            settings: where the system's parts are.
        """
        from director.rendering.containers import in_containers  # noqa: PLC0415
        from director.rendering.kubernetes import manifests  # noqa: PLC0415

        topology = artifact.topology(settings)
        containers = in_containers(topology, artifact.services)
        _print(manifests(containers, artifact.services, version))

    @render.command
    def dockerfile(packaged: str, /) -> None:
        """Print the Dockerfile of a packaged artifact, to be built in `dist`.

        Args:
            packaged: the artifact below `dist`, such as services/inventory/service.pex.
        """
        from director.rendering.images import dockerfile as text_of  # noqa: PLC0415

        if not packaged.endswith(".pex") or any(each.isspace() for each in packaged):
            raise SettingsError(f"{packaged!r}: expected a .pex file below dist")
        print(text_of(packaged), end="")  # noqa: T201 (what the command is for)


def _print(documents: list[Any]) -> None:
    import yaml  # noqa: PLC0415

    text = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=100)
    print(text, end="")  # noqa: T201 (what the command is for)
