"""Sets up what `./pants` runs: Pants itself, and the Pex CLI that Pants would otherwise download.

Called by `./pants` under Python 3.9 with the folder to fill and the Python that runs the system.
Everything is installed by hashed requirement, from the package registry that pip is configured for.
The file `ready` is written last: a folder without it was interrupted and is filled anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import venv
from pathlib import Path

LOCKS = Path(__file__).resolve().parent

# The names by which Pants 2.17 knows platforms in `[pex-cli].known_versions`.
PANTS_PLATFORMS = {
    ("Linux", "x86_64"): "linux_x86_64",
    ("Linux", "aarch64"): "linux_arm64",
    ("Darwin", "x86_64"): "macos_x86_64",
    ("Darwin", "arm64"): "macos_arm64",
}


class BootstrapError(Exception):
    """Says why Pants could not be set up, and what to do about it."""


def main(arguments: list[str]) -> None:
    """Fill the folder `arguments[0]` for the interpreter `arguments[1]`, unless that is done."""
    home, project_python = Path(arguments[0]), Path(arguments[1])
    home.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{home}.lock").open("w") as lock:
        # A second `./pants` waits here, then finds the work done. The kernel drops the lock of a
        # process that dies.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_ready(home):
            return
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        install(home, project_python)


def is_ready(home: Path) -> bool:
    """Whether an earlier run finished and the interpreters that it chose are still there."""
    return (home / "ready").exists() and all(
        os.access(home / link, os.X_OK) for link in ("venv/bin/python", "project-python")
    )


def install(home: Path, project_python: Path) -> None:
    """Install Pants and Pex under `home`."""
    say(f"Setting up Pants {pinned('pants', 'pantsbuild-pants')} in {home} (once)")
    python = home / "venv" / "bin" / "python"
    venv.create(home / "venv", with_pip=True)
    pip(python, "install", "--requirement", str(LOCKS / "pants.lock"))

    say(f"Setting up Pex {pinned('pex', 'pex')}")
    pex = build_pex_cli(home, python)

    project_python = base_executable(project_python)
    (home / "project-python").symlink_to(project_python)
    settings = pants_settings(pex, [project_python, base_executable(python)])
    unfinished = home / "ready.unfinished"
    unfinished.write_text("".join(f"{k}={shlex.quote(v)}\n" for k, v in settings.items()))
    unfinished.replace(home / "ready")
    say("Ready; the first run of each command installs the tools that it needs")


def build_pex_cli(home: Path, python: Path) -> Path:
    """Pack the `pex` wheel into the single file that Pants expects of a Pex release."""
    work = home / "pex-work"
    requirement = ("--requirement", str(LOCKS / "pex.lock"))
    pip(python, "download", "--no-deps", "--dest", str(work / "wheels"), *requirement)
    (wheel,) = (work / "wheels").glob("pex-*.whl")
    pip(python, "install", "--no-deps", "--target", str(work / "lib"), str(wheel), hashed=False)
    pex = home / "pex"
    # Where it is built must not get into the file: Pants' caches go by its hash.
    build = ["--pex-root", str(work / "root"), "--no-pypi", str(wheel)]
    build += ["--runtime-pex-root", "~/.cache/pex"]
    result = ["-c", "pex", "--venv", "--output-file", str(pex)]
    run(
        [str(python), "-m", "pex", *build, *result],
        PYTHONPATH=str(work / "lib"),
        PEX_IGNORE_RCFILES="1",
    )
    shutil.rmtree(work)
    return pex


def pants_settings(pex: Path, interpreters: list[Path]) -> dict[str, str]:
    """Give the environment that points Pants at this Pex CLI and at these interpreters."""
    version = f"v{pinned('pex', 'pex')}"
    content = pex.read_bytes()
    known = f"{version}|{pants_platform()}|{hashlib.sha256(content).hexdigest()}|{len(content)}"
    search_path = list(dict.fromkeys(str(python.parent) for python in interpreters))
    return {
        "PANTS_PEX_CLI_VERSION": version,
        "PANTS_PEX_CLI_URL_TEMPLATE": pex.as_uri(),
        "PANTS_PEX_CLI_KNOWN_VERSIONS": repr([known]),
        "PANTS_PYTHON_BOOTSTRAP_SEARCH_PATH": repr(search_path),
    }


def base_executable(python: Path) -> Path:
    """Find the interpreter behind links, shims and virtual environments."""
    # A virtual environment does not say which file it was made from, only which installation.
    script = (
        "import os, sys; name = 'python%d.%d' % sys.version_info[:2]; "
        "print(os.path.join(sys.base_prefix, 'bin', name))"
    )
    found = subprocess.run(
        [str(python), "-I", "-c", script], check=True, stdout=subprocess.PIPE, text=True
    )
    base = Path(found.stdout.strip())
    return base if base.exists() else python


def pinned(lock: str, distribution: str) -> str:
    """Read the version of `distribution` from the lock file of that name."""
    text = (LOCKS / f"{lock}.lock").read_text()
    version = re.search(rf"^{re.escape(distribution)}==([^ ;\\]+)", text, re.MULTILINE)
    if version is None:
        raise BootstrapError(f"3rdparty/pants/{lock}.lock does not pin {distribution}")
    return version.group(1)


def pants_platform() -> str:
    """Name this machine as Pants does."""
    machine = (platform.system(), platform.machine())
    try:
        return PANTS_PLATFORMS[machine]
    except KeyError:
        known = ", ".join(" ".join(each) for each in PANTS_PLATFORMS)
        raise BootstrapError(
            f"Pants does not run on {' '.join(machine)}, only on {known}"
        ) from None


def pip(python: Path, command: str, *arguments: str, hashed: bool = True) -> None:
    """Run pip; `hashed` makes it refuse whatever the lock holds no hash of."""
    options = ["-qq", "--disable-pip-version-check", "--no-input"]
    if hashed:
        options.append("--require-hashes")
    run([str(python), "-m", "pip", command, *options, *arguments])


def run(command: list[str], **environment: str) -> None:
    """Run a step, which may speak up on stderr; stdout is for what Pants prints."""
    # Whatever settings of Pex the caller has are for the caller's own use of it.
    caller = {key: value for key, value in os.environ.items() if not key.startswith("PEX_")}
    try:
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, env={**caller, **environment}
        )
    except subprocess.CalledProcessError as error:
        raise BootstrapError(
            f"this step failed with exit code {error.returncode}; its own words are above:\n"
            f"  {shlex.join(command)}\n"
            "If it could not reach the package registry, see `pip config list`; then run again."
        ) from None


def say(text: str) -> None:
    """Tell the person who waits what is going on."""
    print(f"pants: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except BootstrapError as error:
        sys.exit(f"pants: {error}")
    except KeyboardInterrupt:
        sys.exit("pants: interrupted; the next run starts over")
