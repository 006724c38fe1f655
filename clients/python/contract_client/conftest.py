from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from contract_client.testing.notes import Answers, Caller, Tasks, Waiting


@pytest.fixture(params=["waiting", "asyncio"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[[Answers], Caller]]:
    """Both ways of calling a server that plays a part."""
    opened: list[Tasks] = []

    def open_one(answers: Answers) -> Caller:
        if request.param == "waiting":
            return Waiting(answers)
        opened.append(Tasks(answers))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()
