from __future__ import annotations

import pytest

from conformance.issuer import EXPECTED
from conformance.run import EXIT_NOTHING_TO_SEE, run
from seam.auth.keys import read_keys
from seam.bus.grpc.server import make_server


async def test_an_address_that_nobody_answers_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert await run("unix:/nowhere.sock") == EXIT_NOTHING_TO_SEE
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "unix:/nowhere.sock: nobody answers\n")


async def test_the_keys_are_printed_by_which_tokens_are_verified(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert await run(keys=True) == 0
    assert read_keys(capsys.readouterr().out.encode(), EXPECTED.algorithms).keys() == {
        "conformance"
    }
    assert await run() == EXIT_NOTHING_TO_SEE
    assert "expected HOST:PORT" in capsys.readouterr().err


async def test_a_service_without_the_contract_is_told_which_to_implement(
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = make_server()
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        assert await run(f"127.0.0.1:{port}") == EXIT_NOTHING_TO_SEE
    finally:
        await server.stop(grace=None)
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert "protos/conformance/v1/conformance.proto" in output.err
