"""A Dockerfile for a packaged artifact: nobody in particular runs it, and it writes nowhere.

Source: https://docs.docker.com/reference/dockerfile/.
"""

from __future__ import annotations

from typing import Final

from director.rendering.containers import USER

PYTHON_IMAGE: Final = "python:3.11-slim"
"""Where the artifact's Python comes from; another one by `--build-arg PYTHON=…`."""


def dockerfile(artifact: str) -> str:
    """The Dockerfile of an artifact.

    Args:
        artifact: the packaged file below the build context `dist`, such as
            `services/inventory/service.pex`.
    """
    # A packed artifact unpacks itself when it is run first, which it could not do where nothing can
    # be written.
    return f"""\
ARG PYTHON={PYTHON_IMAGE}

FROM ${{PYTHON}} AS unpacked
COPY {artifact} /artifact.pex
RUN PEX_TOOLS=1 python3 /artifact.pex venv --compile /app

FROM ${{PYTHON}}
COPY --from=unpacked /app /app
USER {USER}:{USER}
WORKDIR /tmp
ENTRYPOINT ["/app/pex"]
"""
