"""The command line as a user meets it: an artifact of two empty services, in a process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

PROGRAM = """
from contextlib import asynccontextmanager
from seam.runtime import Service, main
from cyclopts import App

@asynccontextmanager
async def start(resources):
    yield ()

commands = App(name="one", version_flags=[])

@commands.command
def fail() -> int:
    return 3

one = Service(name="one", start=start, commands=commands)
two = Service(name="two", start=start)
main("both", (one, two), whole_system=True)
"""


def popen(arguments: Sequence[str], directory: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(arguments: Sequence[str], directory: Path) -> tuple[int, str, str]:
    with popen(arguments, directory) as process:
        output, errors = process.communicate(timeout=60)
        return process.returncode, output, errors


def bound_address(process: subprocess.Popen[str], scheme: str = "http") -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(f"listening on {scheme}://"), line
    return line.removeprefix(f"listening on {scheme}://").strip()


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def test_serve_is_the_default_and_says_where_it_listens(tmp_path: Path) -> None:
    with popen(["--http", "127.0.0.1:0"], tmp_path) as process:
        address = bound_address(process)
        assert httpx.get(f"http://{address}/healthz").json() == {"status": "ok"}
        ready = httpx.get(f"http://{address}/readyz")
        assert ready.status_code == 200
        assert ready.json() == {
            "ready": True,
            "services": ["one", "two"],
            "databases": {},
            "peers": {},
        }
        assert httpx.get(f"http://{address}/schema").json()["openapi"] == "3.1.0"
        events = httpx.get(f"http://{address}/schema/asyncapi.json").json()
        assert events["asyncapi"] == "3.0.0"
        code, errors = end(process)
    assert code == 0
    assert "Traceback" not in errors


ASKED = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def ask_again_and_again(address: tuple[str, int], until: threading.Event, seen: list[str]) -> None:
    """Make short connections one after the other, and write down how each ended."""
    while not until.is_set():
        with socket.socket() as client:
            client.settimeout(10)
            try:
                client.connect(address)
            except ConnectionRefusedError:
                seen.append("refused")
                time.sleep(0.02)
                continue
            try:
                client.sendall(ASKED)
                answer = b""
                while part := client.recv(4096):
                    answer += part
            except OSError as error:
                seen.append(repr(error))
            else:
                seen.append(answer.partition(b"\r\n")[0].decode())


def test_nobody_is_reset_when_a_process_ends_under_load(tmp_path: Path) -> None:
    seen: list[str] = []
    until = threading.Event()
    with popen(["--http", "127.0.0.1:0"], tmp_path) as process:
        host, _, port = bound_address(process).partition(":")
        arguments = ((host, int(port)), until, seen)
        clients = [threading.Thread(target=ask_again_and_again, args=arguments) for _ in range(20)]
        for client in clients:
            client.start()
        time.sleep(0.5)
        code, errors = end(process)
        time.sleep(0.2)
        until.set()
        for client in clients:
            client.join()
    assert (code, "Traceback" in errors) == (0, False)
    assert set(seen) == {"HTTP/1.1 200 OK", "refused"}
    assert seen.count("HTTP/1.1 200 OK") > 100


def test_a_process_says_that_it_leaves_before_it_does(tmp_path: Path) -> None:
    with popen(["--http", "127.0.0.1:0", "--drain", "1.5"], tmp_path) as process:
        address = bound_address(process)
        assert httpx.get(f"http://{address}/readyz").status_code == 200
        process.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        while httpx.get(f"http://{address}/readyz").status_code != 503:
            assert time.monotonic() - begun < 1
        assert httpx.get(f"http://{address}/schema").status_code == 200
        _, errors = process.communicate(timeout=60)
        assert 1.4 < time.monotonic() - begun < 5
    assert (process.returncode, "Traceback" in errors) == (0, False)


def test_a_second_signal_ends_a_process_at_once(tmp_path: Path) -> None:
    with popen(["--http", "127.0.0.1:0", "--drain", "60"], tmp_path) as process:
        bound_address(process)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        _, errors = process.communicate(timeout=60)
        assert time.monotonic() - begun < 5
    assert (process.returncode, "Traceback" in errors) == (1, False)
    assert "asked to end again: leaving what is under way" in errors


def test_a_flag_comes_before_the_environment_and_that_before_the_topology(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        occupied = f"127.0.0.1:{taken.getsockname()[1]}"
        topology = tmp_path / "topology.toml"
        topology.write_text(f'[process.all]\nservices = ["one", "two"]\nhttp = "{occupied}"\n')
        with popen(["--topology", str(topology)], tmp_path, SEAM_HTTP="127.0.0.1:0") as process:
            assert bound_address(process) != occupied
            end(process)
        flags = ["--http", "127.0.0.1:0"]
        with popen(flags, tmp_path, SEAM_HTTP=occupied) as process:
            assert bound_address(process) != occupied
            end(process)
        code, _, errors = run(["--topology", str(topology)], tmp_path)
    assert code == 2
    assert errors.strip().endswith(f"both: cannot listen on {occupied}: Address already in use")


@pytest.mark.parametrize("arguments", [["--help"], ["serve", "--help"], ["one", "--help"]])
def test_every_command_explains_itself(tmp_path: Path, arguments: list[str]) -> None:
    code, output, _ = run(arguments, tmp_path)
    assert code == 0
    assert "Usage: both" in output
    assert "--empty-" not in output


def test_the_help_says_what_is_done_without_a_command(tmp_path: Path) -> None:
    _, output, _ = run(["--help"], tmp_path)
    assert "Runs one, two; without a command, it serves them." in output


def test_what_is_set_for_a_service_that_has_no_settings_is_refused(tmp_path: Path) -> None:
    code, _, errors = run(["--http", "127.0.0.1:0", "--setting", "one.colour=red"], tmp_path)
    assert code == 2
    assert "both: --setting: one.colour: service 'one' has no settings" in errors


def test_a_service_s_command_gives_the_exit_code(tmp_path: Path) -> None:
    assert run(["one", "fail"], tmp_path)[0] == 3


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--http", "nowhere"], "--http: 'nowhere' is not an address; expected HOST:PORT"),
        (["--process", "x"], "--process 'x' is not in the topology; expected monolith"),
        (["--topology", "none.toml"], "none.toml: cannot read the topology"),
        (["--topology", "."], "both: .: cannot read the topology: not a regular file"),
        (["--http", "a..b:1"], "both: cannot listen on a..b:1: not the name of a host"),
        (["--database", "three=sqlite:///x"], "unknown service 'three'; expected one, two"),
        (["--bogus"], "Unknown option"),
        (["--drain", "-1"], "--drain -1.0: expected seconds from 0 to 3600"),
        (["--drain", "nan"], "--drain nan: expected seconds from 0 to 3600"),
    ],
)
def test_a_bad_setting_ends_the_program_with_what_was_expected(
    tmp_path: Path, arguments: list[str], expected: str
) -> None:
    code, _, errors = run(arguments, tmp_path)
    assert code == 2
    assert expected in errors
    assert "Traceback" not in errors


def test_the_process_must_be_named_when_several_are_possible(tmp_path: Path) -> None:
    topology = tmp_path / "topology.toml"
    topology.write_text(
        '[process.a]\nservices = ["one"]\ngrpc = "127.0.0.1:1"\n'
        '[process.b]\nservices = ["two"]\ngrpc = "127.0.0.1:2"\n'
    )
    code, _, errors = run(["--topology", str(topology)], tmp_path)
    assert code == 2
    assert "--process: say which process to run; expected one of a, b" in errors


def test_a_database_that_cannot_be_opened_is_named_with_the_reason(tmp_path: Path) -> None:
    program = PROGRAM.replace(
        "    yield ()",
        """    from sqlalchemy import MetaData
    async with resources.database(MetaData(schema="one")):
        yield ()""",
    )
    file = tmp_path / "file"
    file.write_text("no database")
    for url, reason in (
        (f"sqlite:///{file}", "file is not a database"),
        (f"sqlite:///{file}/below.db", "File exists"),
        ("postgresql://shop:secret@127.0.0.1:1/shop", "127.0.0.1:1"),
    ):
        process = subprocess.run(
            [sys.executable, "-c", program, "--http", "127.0.0.1:0", "--database", f"one={url}"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        assert process.returncode == 2, process.stderr
        assert process.stderr.startswith("both: cannot open the database ")
        assert reason in process.stderr
        assert "secret" not in process.stderr
        assert "Traceback" not in process.stderr
