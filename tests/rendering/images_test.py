"""Images that are built as a rendered Dockerfile says serve where they can write nowhere else."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from director.rendering.images import dockerfile
from tests.rendering.images import BUILDERS, ByHand, Image

INVENTORY = "services/inventory/service.pex"
MONOLITH = "director/monolith.pex"

TIMEOUT = 120
"""Seconds for a program to start on a machine with other work."""


@pytest.mark.parametrize("builder", BUILDERS)
def test_an_image_is_nobodys_who_may_write_in_the_temporary_folder_alone(
    builder: Callable[[str, Path], Image],
) -> None:
    image = builder(dockerfile(INVENTORY), Path.cwd())
    try:
        assert image.user >= 10_000
        assert "serve" in _told(image, "--help")
        root = image.command("/")[-1].rpartition(" ")[2].rstrip("/")
        image.entry_point = ["/app/bin/python", "-c"]
        writable = f"each for each in ('/app', '/', '/tmp') if os.access({root!r} + each, os.W_OK)"
        assert _told(image, f"import os; print([{writable}])").strip() == "['/tmp']"
    finally:
        image.close()


def _told(image: Image, *arguments: str) -> str:
    ran = subprocess.run(
        image.command(*arguments), capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_image_of_the_whole_shop_serves_and_ends_when_it_is_asked_to() -> None:
    image = ByHand(dockerfile(MONOLITH), Path.cwd())
    try:
        data = str(image.temporary / "data")
        command = image.command("--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", f"--data={data}")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            try:
                lines = [process.stdout.readline().decode() for _ in range(2)]
                process.send_signal(signal.SIGTERM)
                _, log = process.communicate(timeout=TIMEOUT)
            finally:
                process.kill()
        assert sorted(line[:16] for line in lines) == ["listening on grp", "listening on htt"]
        assert process.returncode == 0, log.decode()
    finally:
        image.close()
