"""Workers behind one port, as somebody who runs an artifact meets them."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

PROGRAM: Final = """
from contextlib import asynccontextmanager
from named import NAME
from seam.runtime import Service, main

@asynccontextmanager
async def start(resources):
    async def rows():
        return 12
    resources.metrics.counter("started", "Counted once by each worker.", lambda: 1)
    resources.metrics.gauge("rows", "What all workers see.", rows)
    yield ()

main(NAME, (Service(name="one", start=start),), whole_system=True)
"""
REQUEST: Final = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "named.py").write_text('NAME = "first"\n')
    return tmp_path


@contextmanager
def started(program: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    log = (program / "log").open("w")
    process = subprocess.Popen(
        [sys.executable, "program.py", "--http", "127.0.0.1:0", *arguments],
        cwd=program,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()
        log.close()


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("listening on http://"), line
    return line.removeprefix("listening on http://").strip()


def workers_of(process: subprocess.Popen[str]) -> set[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return {int(each) for each in children.read_text().split()}


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110, it is another process's doing.
            await asyncio.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Clients:
    """Clients with connections that stay open for as long as the server lets them."""

    def __init__(self, address: str) -> None:
        self._host, _, self._port = address.rpartition(":")
        self.come_again = True
        self._ends = False
        self.answered = 0
        self.moved = 0
        self.failures: list[str] = []

    @asynccontextmanager
    async def asking(self, number: int = 16) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._ask()) for _ in range(number)]
        try:
            yield
        finally:
            self._ends = True
            await asyncio.gather(*tasks)

    async def _ask(self) -> None:
        while not self._ends:
            try:
                await self._use_connection()
            except (OSError, EOFError, AssertionError) as error:
                self.failures.append(repr(error))

    async def _use_connection(self) -> None:
        reader, writer = await asyncio.open_connection(self._host, int(self._port))
        try:
            closes = False
            while not closes and not self._ends:
                writer.write(REQUEST)
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200"), head
                assert await reader.readexactly(15) == b'{"status":"ok"}'
                self.answered += 1
                closes = b"\r\nconnection: close" in head
                await asyncio.sleep(random.uniform(0, 0.02))
            self.moved += closes
            self._ends = self._ends or (closes and not self.come_again)
        finally:
            writer.close()


async def test_a_restart_drops_no_request(program: Path) -> None:
    with started(program, "--workers", "2") as process:
        clients = Clients(address_of(process))
        before = workers_of(process)
        assert len(before) == 2
        async with clients.asking():
            await until(lambda: clients.answered > 200)
            for _ in range(2):
                old = workers_of(process)
                process.send_signal(signal.SIGHUP)
                await until(
                    lambda old=old: len(now := workers_of(process)) == 2 and not now & old  # type: ignore[misc]
                )
            so_far = clients.answered
            await until(lambda: clients.answered > so_far + 200)
        assert clients.failures == []
        # Each was told to come again on another connection, and has.
        assert clients.moved >= 16
        process.terminate()
        assert process.wait(timeout=60) == 0
    assert "Traceback" not in (program / "log").read_text()


async def test_a_signal_that_comes_while_workers_are_replaced_is_heeded(program: Path) -> None:
    with started(program, "--workers", "2", "--drain", "0") as process:
        address_of(process)
        log = program / "log"
        process.send_signal(signal.SIGHUP)
        await until(lambda: "replacing 2 workers" in log.read_text())
        process.send_signal(signal.SIGHUP)
        await until(lambda: log.read_text().count("replaced 2 workers") == 2)


async def test_a_worker_that_is_killed_is_replaced_and_the_others_serve_meanwhile(
    program: Path,
) -> None:
    with started(program, "--workers", "2") as process:
        address = address_of(process)
        victim, other = sorted(workers_of(process))
        os.kill(victim, signal.SIGKILL)
        async with httpx.AsyncClient(base_url=f"http://{address}") as client:
            for _ in range(20):
                assert (await client.get("/healthz")).status_code == 200
        await until(lambda: len(workers_of(process) - {victim}) == 2)
        assert other in workers_of(process)
        assert f"worker {victim} ended with status -9" in (program / "log").read_text()


async def test_a_worker_that_is_asked_to_end_leaves_alone_and_nobody_is_refused(
    program: Path,
) -> None:
    with started(program, "--workers", "2") as process:
        clients = Clients(address_of(process))
        asked = min(workers_of(process))
        async with clients.asking():
            os.kill(asked, signal.SIGTERM)
            await until(lambda: len(workers_of(process) - {asked}) == 2)
        assert clients.failures == []


async def test_workers_of_a_supervisor_that_was_killed_end_by_themselves(program: Path) -> None:
    with started(program, "--workers", "2") as process:
        address_of(process)
        workers = workers_of(process)
        process.kill()
        process.wait(timeout=60)
        await until(lambda: not any(is_running(pid) for pid in workers))


async def test_what_is_under_way_is_finished_at_the_end(program: Path) -> None:
    with started(program, "--workers", "2", "--drain", "1") as process:
        clients = Clients(address_of(process))
        async with clients.asking():
            await until(lambda: clients.answered > 100)
            process.terminate()
            clients._ends = True
        assert clients.failures == []
        assert process.wait(timeout=60) == 0


async def test_a_signal_from_the_terminal_reaches_all_and_ends_them_once(program: Path) -> None:
    with started(program, "--workers", "2") as process:
        address_of(process)
        for pid in (process.pid, *workers_of(process)):
            os.kill(pid, signal.SIGINT)
        assert process.wait(timeout=60) == 0
    assert "leaving what is under way" not in (program / "log").read_text()


def test_workers_that_cannot_start_end_with_the_reason(program: Path) -> None:
    (program / "topology.toml").write_text(
        '[process.all]\nservices = ["one"]\nhttp = "127.0.0.1:0"\n'
        '[http]\ncertificate = "missing.crt"\nkey = "missing.key"\n'
    )
    with started(program, "--workers", "2", "--topology", "topology.toml") as process:
        assert process.wait(timeout=60) == 2
    assert "certificate missing.crt: cannot read it" in (program / "log").read_text()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--workers", "0"], "--workers 0: expected a number from 1 to 256"),
        (["--workers", "1000"], "--workers 1000: expected a number from 1 to 256"),
        (["--workers", "2", "--reload"], "--reload: expected no --workers 2"),
        (["--workers", "2", "--grpc", "127.0.0.1:0"], "expected HOST:PORT with a port that is not"),
    ],
)
def test_what_workers_cannot_do_is_refused(
    program: Path, arguments: list[str], expected: str
) -> None:
    with started(program, *arguments) as process:
        assert process.wait(timeout=60) == 2
    assert expected in (program / "log").read_text()


async def test_a_changed_source_file_is_served_anew(program: Path) -> None:
    with started(program, "--reload") as process:
        address = address_of(process)

        async def title() -> str:
            async with httpx.AsyncClient(base_url=f"http://{address}", timeout=60) as client:
                found: str = (await client.get("/schema")).json()["info"]["title"]
                return found

        async def until_called(name: str) -> None:
            async with asyncio.timeout(60):
                while await title() != name:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

        await until_called("first")
        (program / "named.py").write_text("NAME = broken\n")
        log = program / "log"
        await until(lambda: "it does not start; waiting for a change" in log.read_text())
        (program / "named.py").write_text('NAME = "second"\n')
        await until_called("second")
        assert "named.py changed: starting anew" in log.read_text()


def figure(text: str, name: str) -> float:
    (line,) = [each for each in text.splitlines() if each.startswith(f"{name} ")]
    return float(line.partition(" ")[2])


async def test_metrics_are_those_of_all_workers_whoever_answers_and_outlive_them(
    program: Path,
) -> None:
    with started(program, "--workers", "3", "--drain", "0.2") as process:
        url = f"http://{address_of(process)}"

        async def metrics() -> str:
            # Each time another connection, which any of them may take.
            async with httpx.AsyncClient(base_url=url) as client:
                answer = await client.get("/metrics")
                assert answer.status_code == 200, answer.text
                assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
                return answer.text

        async def until_told(name: str, value: float) -> None:
            async with asyncio.timeout(60):
                while figure(await metrics(), name) != value:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

        texts = [await metrics() for _ in range(10)]
        assert {figure(text, "one_started_total") for text in texts} == {3}
        # All of them see the same rows.
        assert {figure(text, "one_rows") for text in texts} == {12}
        memory = figure(texts[0], "process_resident_memory_bytes")
        assert memory > 2 * resident_bytes(min(workers_of(process)))

        os.kill(min(workers_of(process)), signal.SIGKILL)
        await until_told("one_started_total", 4)
        old = workers_of(process)
        process.send_signal(signal.SIGHUP)
        await until(lambda: len(now := workers_of(process)) == 3 and not now & old)
        await until_told("one_started_total", 7)


async def test_metrics_do_not_wait_for_a_worker_that_hangs(program: Path) -> None:
    with started(program, "--workers", "2") as process:
        url = f"http://{address_of(process)}"
        frozen = min(workers_of(process))
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            assert figure((await client.get("/metrics")).text, "one_started_total") == 2
            os.kill(frozen, signal.SIGSTOP)
            try:
                # The connection may be the frozen one's.
                tries = [httpx.AsyncClient(base_url=url, timeout=30) for _ in range(8)]
                asked = [asyncio.create_task(each.get("/metrics")) for each in tries]
                done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
                assert figure(done.pop().result().text, "one_started_total") == 2
            finally:
                os.kill(frozen, signal.SIGCONT)
            await asyncio.gather(*asked)
            for each in tries:
                await each.aclose()
