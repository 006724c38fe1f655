"""Clients that are generated from contracts: what they hold, and that they are good Python."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

import contract_client
from codegen.python.formatting import RUFF
from codegen.python_client.client import respond
from codegen.python_client.modules import module_of
from codegen.testing.accepting import SEEDS, generate_random_contracts
from codegen.testing.compiling import TESTDATA, request_for

LIBRARY = ["library/v1/api.proto", "library/v1/values.proto"]
RUNTIME = Path(contract_client.__file__).parents[1]


def write_client(contracts: Path, files: list[str], out: Path, package: str) -> None:
    request = request_for(contracts, files)
    request.parameter = package
    response = respond(request)
    assert not response.error, response.error
    for file in response.file:
        path = out / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A client of the library, and some of made-up contracts."""
    out = tmp_path_factory.mktemp("generated")
    write_client(TESTDATA / "contracts", LIBRARY, out, "library_client")
    for seed in SEEDS:
        drafts = tmp_path_factory.mktemp("contracts")
        paths = [file.path for file in generate_random_contracts(seed, drafts)]
        write_client(drafts, paths, out, f"random_client_{seed}")
    return out


@pytest.fixture(scope="module")
def library(generated: Path) -> Iterator[SimpleNamespace]:
    sys.path.insert(0, str(generated))
    yield SimpleNamespace(
        client=importlib.import_module("library_client"),
        api=importlib.import_module("library_client.library"),
        values=importlib.import_module("library_client.library_values"),
    )
    sys.path.remove(str(generated))


def test_generated_clients_are_formatted_and_import_nothing_in_vain(generated: Path) -> None:
    files = [str(path) for path in generated.rglob("*.py")]
    for command in (
        ["format", "--isolated", "--check", "--line-length=100"],
        ["check", "--isolated", "--select=F,E9,D1,UP,RET,C4", "--ignore=D105,D107"],
    ):
        result = subprocess.run(
            [RUFF, *command, "--target-version=py311", *files],
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout


def test_generated_clients_pass_strict_type_checks(generated: Path, tmp_path: Path) -> None:
    mypy = pytest.importorskip("mypy.api", reason="mypy is not among the requirements of this test")
    config = tmp_path / "mypy.ini"
    config.write_text(
        "[mypy]\nstrict = true\nwarn_unreachable = true\nexplicit_package_bases = true\n"
        f"mypy_path = {generated}:{RUNTIME}\ncache_dir = {tmp_path}\n"
        "[mypy-contract_client.*]\nfollow_imports = silent\n"
    )
    packages = [word for folder in sorted(generated.iterdir()) for word in ("-p", folder.name)]
    printed, complaints, status = mypy.run([f"--config-file={config}", *packages])
    assert status == 0, printed + complaints


def test_the_clients_of_made_up_contracts_can_be_imported(generated: Path) -> None:
    program = f"import sys; sys.path[:0] = {[str(generated), str(RUNTIME)]!r}\nimport importlib\n"
    for path in sorted(generated.rglob("*.py")):
        module = ".".join(path.relative_to(generated).with_suffix("").parts)
        program += f"importlib.import_module({module.removesuffix('.__init__')!r})\n"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("inventory/v1/api.proto", "shop.inventory"),
        ("inventory/v2/api.proto", "shop.inventory_v2"),
        ("contract/v1/money.proto", "shop.contract_money"),
        ("acme/billing/v1/api.proto", "shop.acme_billing"),
        ("plain.proto", "shop.plain"),
    ],
)
def test_a_module_is_called_after_its_contract(path: str, module: str) -> None:
    assert module_of(path, "shop") == module


def client_of(library: SimpleNamespace, answer: httpx.Response, sent: list[httpx.Request]) -> Any:
    def answers(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer

    return library.client.Client("http://library", transport=httpx.MockTransport(answers))


@pytest.mark.parametrize(
    ("call", "sent"),
    [
        (lambda api, _: api.get_book(isbn="1"), "GET /v1/books/1 "),
        (
            lambda api, v: api.list_books(
                genre=v.Genre.FICTION,
                words=("a", "b"),
                least_rating=0.5,
                is_lent=False,
                genres=(v.Genre.SCIENCE, v.Genre("GENRE_NEW")),
            ),
            "GET /v1/books?genre=GENRE_FICTION&words=a&words=b&leastRating=0.5&isLent=false"
            "&genres=GENRE_SCIENCE&genres=GENRE_NEW ",
        ),
        (
            lambda api, v: api.update_book(isbn="1", book=v.Book(rating=3.5), dry_run=True),
            'PATCH /v1/books/1?dryRun=true {"rating":3.5}',
        ),
        (
            lambda api, _: api.create_review(isbn="1", text="Good.", stars={"plot": 5}),
            'POST /v1/books/1/reviews {"text":"Good.","stars":{"plot":5}}',
        ),
        (
            lambda api, _: api.delete_review(isbn="1", number=2**63),
            "DELETE /v1/books/1/reviews/9223372036854775808 ",
        ),
        (lambda api, _: api.put_review(number=1), 'PUT /v1/reviews:replace {"number":"1"}'),
        (lambda api, _: api.forget_readers(), "POST /v1/readers:forget {}"),
        (lambda api, _: api.borrow_book(isbn="1"), "POST /v1/books/1:borrow {}"),
    ],
)
def test_a_call_is_the_request_that_the_contract_has(
    library: SimpleNamespace, call: Any, sent: str
) -> None:
    requests: list[httpx.Request] = []
    client = client_of(library, httpx.Response(200, json={}), requests)
    call(client.library, library.values)
    (request,) = requests
    found = f"{request.method} {request.url.raw_path.decode()} {request.content.decode()}"
    assert found == sent
    assert ("idempotency-key" in request.headers) == (":borrow" in sent)


def test_a_stream_is_an_iterator(library: SimpleNamespace) -> None:
    answer = httpx.Response(200, content=b'data: {"number": "3"}\n\nevent: end\ndata: {}\n\n')
    client = client_of(library, answer, [])
    events = client.library.watch_book(isbn="1", after=2)
    assert [event.number for event in events] == [3]


def test_a_conversation_begins_with_what_path_and_query_hold(library: SimpleNamespace) -> None:
    parameters = inspect.signature(library.api.LibraryApi.discuss_book).parameters
    assert list(parameters) == ["self", "isbn", "name", "after"]


def test_a_declared_error_is_raised_as_its_class(library: SimpleNamespace) -> None:
    body = {"code": "NOT_FOUND", "error": "BookNotFound", "fields": {"isbn": "1"}, "detail": "x"}
    client = client_of(library, httpx.Response(404, json=body), [])
    with pytest.raises(library.api.BookNotFoundError) as raised:
        client.library.get_book(isbn="1")
    assert raised.value.record == library.api.BookNotFound(isbn="1")


def test_both_clients_offer_the_same(library: SimpleNamespace) -> None:
    def offered(class_: type) -> dict[str, list[str]]:
        members = inspect.getmembers(class_, inspect.isfunction)
        return {name: list(inspect.signature(each).parameters) for name, each in members}

    assert offered(library.api.LibraryApi) == offered(library.api.AsyncLibraryApi)


def test_a_contract_that_cannot_be_generated_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "bad.proto").write_text('syntax = "proto2";\nmessage A {}\n')
    response = respond(request_for(tmp_path, ["bad.proto"]))
    assert response.error.startswith("bad.proto:1:1: proto2 is not supported")
