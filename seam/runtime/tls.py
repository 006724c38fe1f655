"""How a process proves to others which services it runs, and checks the others.

The links between processes are mutual TLS. Each side shows a certificate that an authority of the
system has signed and that names services: those that a process may call as, and those that it may
answer for. Files that are renewed are used for the next link that others make to the process; links
that it makes itself use those of its start.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import grpc

from seam.auth.certificates import CertificateError, CertificateFiles, read_certificate_files
from seam.runtime.network import caller_name
from seam.runtime.service_settings import SettingsError
from seam.runtime.topology import Process, TlsFiles

log = logging.getLogger(__name__)


class ProcessTls:
    """The certificates of one process.

    Attributes:
        client: what it proves and checks where it calls.
    """

    def __init__(self, files: TlsFiles, process: Process) -> None:
        """Read the files of `process`.

        Raises:
            SettingsError: one cannot be used; says which and why.
        """
        self._files = files.of(process.name)
        self._needed = process.services or (caller_name(process),)
        try:
            self._loaded = self._read()
        except CertificateError as error:
            raise SettingsError(f"[tls]: {error}") from None
        self._expires = self._loaded.expires
        self._complaint = ""
        self.client = grpc.ssl_channel_credentials(
            self._loaded.ca, self._loaded.key, self._loaded.chain
        )

    @property
    def problem(self) -> str | None:
        """Why others refuse the process, or None."""
        if datetime.now(UTC) > self._expires:
            return f"its certificate expired on {self._expires:%Y-%m-%d}; renew it and restart"
        return None

    def server(self) -> grpc.ServerCredentials:
        """What the process proves and checks where it is called, by its files as they are then."""
        return grpc.dynamic_ssl_server_credentials(
            _configuration(self._loaded), self._renewed, require_client_authentication=True
        )

    def _renewed(self) -> grpc.ServerCertificateConfiguration:
        """What the next link is made with; gRPC asks in a thread of its own."""
        try:
            self._loaded = self._read()
            self._complaint = ""
        except CertificateError as error:
            if self._complaint != str(error):
                self._complaint = str(error)
                log.error("[tls]: %s; what was read before stays in use", error)  # noqa: TRY400
        return _configuration(self._loaded)

    def _read(self) -> CertificateFiles:
        files = self._files
        return read_certificate_files(
            Path(files.ca), Path(files.certificate), Path(files.key), needed=self._needed
        )


def _configuration(loaded: CertificateFiles) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(loaded.key, loaded.chain)], root_certificates=loaded.ca
    )
