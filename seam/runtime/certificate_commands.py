"""The command of an artifact that makes certificates for the processes of a topology.

What it needs is imported when it is run: most often an artifact is to serve, and at once.
"""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

from seam.runtime.network import caller_name
from seam.runtime.service_settings import SettingsError
from seam.runtime.settings import Artifact, Settings


def add_certificate_commands(app: App, artifact: Artifact) -> None:
    """Give an artifact the command `certificates`."""

    @app.command
    def certificates(directory: Path, /, *, settings: Settings = Settings()) -> None:  # noqa: B008
        """Make a development authority, and a certificate for each process of the topology.

        Each names the services of its process: those that it may call as, and answer for. What is
        there already and holds for another 30 days is left as it is; what is not is made anew, so
        the command may be run again whenever services move. A certificate holds for 90 days, the
        authority for ten years. A process takes renewed files for links that others make to it, and
        after a restart for its own.

        The topology then says:

            [tls]
            ca = "DIRECTORY/ca.pem"
            certificate = "DIRECTORY/{process}.pem"
            key = "DIRECTORY/{process}.key"

        Whoever has DIRECTORY/ca.key can make a certificate for any service. Beyond development, let
        an authority of your own sign: a certificate has a DNS name for each service of its process,
        `director` when it hosts none, and is for servers and for clients.

        Args:
            directory: the folder of the files, which is made if it is not there.
            settings: where the system's parts are.
        """
        from seam.auth.certificates import CertificateError  # noqa: PLC0415
        from seam.auth.development_authority import issue_certificates  # noqa: PLC0415

        topology = artifact.topology(settings)
        names = {
            process.name: process.services or (caller_name(process),)
            for process in topology.processes.values()
        }
        try:
            issued = issue_certificates(directory, names)
        except CertificateError as error:
            raise SettingsError(str(error)) from None
        for each in issued:
            state = "new" if each.is_new else "kept"
            print(
                f"{each.path}: {state}, names {', '.join(each.names)}, "
                f"expires {each.expires:%Y-%m-%d}"
            )
