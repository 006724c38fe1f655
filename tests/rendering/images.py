"""Builds images by rendered Dockerfiles, and runs them where they may write nowhere but in /tmp.

Two builders do what the file says: `ByHand` step by step in a directory, which needs no other
program, and `Buildah`, where that is installed, on a base image with the Python of this machine.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

BUILD_TIMEOUT: Final = 300
"""Seconds that one step may take on a machine with other work."""

_LIBRARY: Final = re.compile(r"/\S+")
_LEFT_OUT: Final = ("test", "tests", "site-packages", "__pycache__", "idlelib", "ensurepip")


class Image(ABC):
    """A built image."""

    def __init__(self, dockerfile: str) -> None:
        """Read what is to be run, and as whom, of a Dockerfile."""
        self.steps = [line.split(maxsplit=1) for line in dockerfile.splitlines() if line]
        said = dict(self.steps)
        self.entry_point: list[str] = [*eval_array(said["ENTRYPOINT"])]
        self.user = int(said["USER"].partition(":")[0])

    @abstractmethod
    def command(self, *arguments: str) -> list[str]:
        """What runs the image on this machine, with arguments of its entry point."""

    @abstractmethod
    def close(self) -> None:
        """Remove the image."""


class ByHand(Image):
    """Does what a Dockerfile says, in a directory which stands for the root."""

    def __init__(self, dockerfile: str, context: Path) -> None:
        """Build in a new directory, whose path is short: it stands in first lines of scripts."""
        super().__init__(dockerfile)
        self._directory = Path(tempfile.mkdtemp(prefix="img-"))
        self._directory.chmod(0o755)
        self._root = self._directory / "root"
        # What the base image brings.
        programs = self._directory / "bin"
        programs.mkdir()
        base = getattr(sys, "_base_executable", sys.executable)
        (programs / "python3").symlink_to(base)
        self._environment = {"PATH": f"{programs}:{os.defpath}", "HOME": str(self._directory)}
        stage = ""
        for instruction, rest in self.steps:
            if instruction == "FROM":
                if self._root.exists():
                    self._root.rename(self._directory / stage)
                self._root.mkdir()
                stage = rest.rpartition(" AS ")[2]
            elif instruction == "COPY":
                self._copy(rest, context)
            elif instruction == "RUN":
                self._run(rest)
        self.temporary = self._root / "tmp"
        self.temporary.mkdir()
        for path in (self._root, *self._root.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)
        self.temporary.chmod(0o1777)

    def command(self, *arguments: str) -> list[str]:
        """See `Image`."""
        dropped: list[str] = []
        if os.geteuid() == 0:
            # To whom no permission matters.
            dropped = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]
        inside = [self._here(each) for each in (*self.entry_point, *arguments)]
        working = f"cd {shlex.quote(str(self.temporary))} && exec {shlex.join(inside)}"
        return [*dropped, "env", "-i", "sh", "-c", working]

    def close(self) -> None:
        """See `Image`."""
        for path in (self._root, *self._root.rglob("*")):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)
        shutil.rmtree(self._directory)

    def _copy(self, rest: str, context: Path) -> None:
        source, target = rest.split()[-2:]
        start = (
            self._directory / rest[len("--from=") :].split(maxsplit=1)[0]
            if "--from" in rest
            else context
        )
        found, copied = start / source.lstrip("/"), Path(self._here(target))
        if found.is_dir():
            shutil.copytree(found, copied, symlinks=True)
        else:
            shutil.copy2(found, copied)

    def _run(self, rest: str) -> None:
        words = [self._here(word) for word in shlex.split(rest)]
        subprocess.run(
            ["env", *words],
            env=self._environment,
            check=True,
            timeout=BUILD_TIMEOUT,
            stderr=subprocess.DEVNULL,
        )

    def _here(self, word: str) -> str:
        """A path of the image as it is on this machine."""
        return f"{self._root}{word}" if word.startswith("/") else word


class Buildah(Image):
    """Has Buildah build an image, on a base image with the Python of this machine."""

    def __init__(self, dockerfile: str, context: Path) -> None:
        """Build in a store of its own."""
        super().__init__(dockerfile)
        self._directory = Path(tempfile.mkdtemp(prefix="img-"))
        base = self._directory / "base"
        _base_image(base)
        made = self._buildah("from", "scratch")
        self._buildah("copy", made, str(base), "/")
        self._buildah("commit", "--disable-compression", made, "local-python")
        shutil.rmtree(base)
        file = self._directory / "Dockerfile"
        file.write_text(dockerfile)
        self._buildah(
            *("bud", "--isolation", "chroot", "--pull-never", "--tag", "shop"),
            *("--build-arg", "PYTHON=localhost/local-python", "--file", str(file), str(context)),
        )
        self._container = self._buildah("from", "--pull-never", "localhost/shop")

    def command(self, *arguments: str) -> list[str]:
        """See `Image`."""
        run = ["run", "--isolation", "chroot", self._container, "--"]
        return [*self._program(), *run, *self.entry_point, *arguments]

    def close(self) -> None:
        """See `Image`."""
        self._buildah("rm", "--all")
        shutil.rmtree(self._directory)

    def _buildah(self, *arguments: str) -> str:
        ran = subprocess.run(
            [*self._program(), *arguments],
            check=True,
            timeout=BUILD_TIMEOUT,
            stdout=subprocess.PIPE,
            text=True,
        )
        return ran.stdout.strip().rpartition("\n")[2]

    def _program(self) -> list[str]:
        store, state = str(self._directory / "store"), str(self._directory / "state")
        return ["buildah", "--root", store, "--runroot", state, "--storage-driver", "vfs"]


BUILDERS: Final[tuple[Callable[[str, Path], Image], ...]] = (
    ByHand,
    *((Buildah,) if shutil.which("buildah") else ()),
)
"""Those that this machine has."""


def eval_array(text: str) -> Sequence[str]:
    """The words of an instruction in its form as a JSON array."""
    return [word.strip().strip('"') for word in text.strip("[]").split(",")]


def _base_image(root: Path) -> None:
    """Lay out a root with this machine's Python, a shell and the libraries that both need."""
    prefix = Path(sys.base_prefix)
    for name in ("tmp", "etc", "proc", "dev", "sys", "usr/bin"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    shutil.copytree(
        prefix,
        root / str(prefix).lstrip("/"),
        symlinks=True,
        ignore=lambda _, names: [each for each in names if each in _LEFT_OUT],
    )
    interpreter = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    (root / "usr/bin/python3").symlink_to(interpreter)
    programs = [interpreter, Path("/bin/sh"), *prefix.rglob("*.so*")]
    for needed in {Path("/bin/sh"), *_libraries(programs)}:
        copied = root / str(needed).lstrip("/")
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(needed.resolve(), copied)


def _libraries(programs: Sequence[Path]) -> Iterator[Path]:
    """What a loader takes for programs, and what images of Python have for those of others."""
    listed = _printed("ldd", *map(str, programs))
    known = _printed("/sbin/ldconfig", "-p")
    for line in listed.splitlines():
        found = _LIBRARY.search(line)
        if found and line.startswith("\t") and Path(found[0]).exists():
            yield Path(found[0])
    for name in ("libstdc++.so.6", "libgcc_s.so.1"):
        found = re.search(rf"{re.escape(name)} .*=> (/\S+)", known)
        if found:
            yield Path(found[1])


def _printed(*command: str) -> str:
    # Of a program that is no library, or has none, it says so and ends with an error.
    ran = subprocess.run(
        command, capture_output=True, text=True, timeout=BUILD_TIMEOUT, check=False
    )
    return ran.stdout
