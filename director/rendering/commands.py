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
    def envoy(
        *,
        listen: str = FRONT,
        director: str | None = None,
        settings: Settings = Settings(),  # noqa: B008
    ) -> None:
        """Print the configuration of an Envoy in front of the services of a topology.

        It takes the director's place: it makes gRPC of ProtoJSON, checks tokens, bounds clients as
        [http] says, serves TLS with the certificate of [http], and proves itself to services by the
        certificate of the front door where there is a [tls]. Streams for clients, health and
        documents go on to a process of the topology that serves HTTP; without one, what is left out
        is said in comments.

        Args:
            listen: HOST:PORT where Envoy takes requests.
            director: HOST:PORT where Envoy reaches the process that serves HTTP, when that is not
                where the process listens.
            settings: where the system's parts are.
        """
        from director.rendering.envoy import envoy_configuration, left_out  # noqa: PLC0415

        topology = artifact.topology(settings)
        address = _address("--listen", listen)
        front = None if director is None else _address("--director", director)
        configuration = envoy_configuration(topology, artifact.services, address, front)
        for sentence in left_out(topology, artifact.services):
            print(f"# {sentence}")  # noqa: T201 (what the command is for)
        _print([configuration])

    @render.command
    def compose(*, settings: Settings = Settings()) -> None:  # noqa: B008
        """Print a Compose file with a container for each process of a topology.

        What is secret is taken from the environment, a file .env, or a file PROCESS.env for each
        process. SHOP_CERTIFICATES is the folder of certificates, where the topology has a [tls].

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

        They refer to Secrets: shop-databases, shop-broker, shop-certificates,
        shop-http-certificate, and PROCESS-environment for each process; see docs/deployment.md.

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


def _address(flag: str, text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise SettingsError(f"{flag}: {error}") from None


def _print(documents: list[Any]) -> None:
    import yaml  # noqa: PLC0415

    text = yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=100)
    print(text, end="")  # noqa: T201 (what the command is for)
