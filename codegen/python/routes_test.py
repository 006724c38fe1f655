"""Generated routes: what requests become records, and what answers look like."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import msgspec
import pytest
from litestar import Litestar

from codegen.contract.http_rules import PROCESS_PATHS
from codegen.testing.compiling import TESTDATA, compile_contracts
from seam.bus import Channel
from seam.call import idempotency_key
from seam.contract import Empty, ServiceDescriptor
from seam.http import application
from seam.http.problem import exception_handlers
from seam.testing import strict_channel

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTRACTS = TESTDATA / "contracts"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    out = tmp_path_factory.mktemp("generated")
    files = [f"library/v1/{file}.proto" for file in ("api", "values")]
    modules = {file: f"routed.{Path(file).stem}" for file in files}
    compile_contracts(CONTRACTS, out, [*files, "contract/v1/options.proto"], modules=modules)
    sys.path.insert(0, str(out))
    names = ("api", "api_routes", "api_openapi", "api_mock", "values")
    found = {name: import_module(f"routed.{name}") for name in names}
    yield SimpleNamespace(**found)
    sys.path.remove(str(out))


class Client:
    """Sends requests to an ASGI application."""

    def __init__(self, application: Litestar) -> None:
        self._application = application

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        path, _, query = path.partition("?")
        content = b"" if body is None else json.dumps(body).encode()
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": quote(path).encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", b"test"), (b"content-length", str(len(content)).encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        await self._application(scope, receive, send)  # type: ignore[arg-type]
        answer = b"".join(message.get("body", b"") for message in sent)
        return sent[0]["status"], json.loads(answer)


@pytest.fixture
def mock(library: SimpleNamespace) -> Any:
    mock = library.api_mock.LibraryApiMock()
    book = library.values.Book(isbn="1", genre=library.values.Genre.FICTION, cover=b"", rating=4.5)
    mock.list_books.returns(library.api.ListBooksResponse(books=(book,)))
    mock.get_book.returns(book)
    mock.update_book.returns(book)
    review = library.api.Review(number=2**63, text="Good.")
    mock.create_review.returns(review)
    mock.put_review.returns(review)
    mock.delete_review.returns(library.api.DeleteReviewResponse())
    mock.forget_readers.returns(Empty())
    return mock


@pytest.fixture
def client(library: SimpleNamespace, mock: Any) -> Client:
    return serving(library, mock)


@pytest.fixture
def client_over_bus(library: SimpleNamespace, mock: Any) -> Client:
    """As every process serves: behind the routes is a stub."""
    return serving(library, mock.stub())


def serving(library: SimpleNamespace, api: Any) -> Client:
    http = library.api_routes.LIBRARY_API_HTTP
    application = Litestar(
        route_handlers=[http.router(api)],
        exception_handlers=exception_handlers(http.errors),
        openapi_config=None,
        logging_config=None,
    )
    return Client(application)


BOOK = {"isbn": "1", "genre": "GENRE_FICTION", "cover": "", "rating": 4.5}


async def test_a_path_variable_is_a_field(client: Client, mock: Any, library: Any) -> None:
    assert await client("GET", "/v1/books/a b") == (200, BOOK)
    assert mock.get_book.requests == [library.api.GetBookRequest(isbn="a b")]


async def test_what_neither_path_nor_body_bind_is_in_the_query(
    client: Client, mock: Any, library: Any
) -> None:
    path = "/v1/books?words=a&words=b+c&cameSince=2024-05-31T12:00:00Z&least_rating=0.1&isLent=true"
    assert await client("GET", f"{path}&genres=GENRE_SCIENCE&genres=9") == (200, {"books": [BOOK]})
    (request,) = mock.list_books.requests
    assert request == library.api.ListBooksRequest(
        genre=library.values.Genre.UNSPECIFIED,
        words=("a", "b c"),
        came_since=datetime(2024, 5, 31, 12, tzinfo=UTC),
        # A float of 32 bits.
        least_rating=0.10000000149011612,
        is_lent=True,
        page_size=0,
        genres=(library.values.Genre.SCIENCE, library.values.Genre(9)),
    )


async def test_an_empty_query_is_all_defaults(client: Client, mock: Any) -> None:
    await client("GET", "/v1/books")
    (request,) = mock.list_books.requests
    assert (request.words, request.came_since, request.is_lent) == ((), None, None)


async def test_an_additional_binding_is_a_route_of_its_own(
    client: Client, mock: Any, library: Any
) -> None:
    await client("GET", "/v1/genres/GENRE_SCIENCE/books")
    assert mock.list_books.requests[0].genre is library.values.Genre.SCIENCE


@pytest.mark.parametrize(
    ("query", "field", "reason"),
    [
        ("nothing=1", "nothing", "unknown query parameter"),
        ("pageSize=two", "pageSize", "expected an int32, got 'two'"),
        ("page_size=2147483648", "pageSize", "expected an int32, got '2147483648'"),
        ("pageSize=1&page_size=2", "pageSize", "given more than once"),
        ("isLent=yes", "isLent", 'expected "true" or "false", got \'yes\''),
    ],
)
async def test_a_wrong_query_is_refused_by_name(
    client: Client, query: str, field: str, reason: str
) -> None:
    status, problem = await client("GET", f"/v1/books?{query}")
    assert status == 400
    assert problem["errors"] == [{"field": field, "detail": reason}]


BROKEN_RULES = [
    ("GET", "/v1/books?pageSize=501", None, "pageSize", "expected 0 to 500"),
    ("GET", "/v1/books?page_size=-1", None, "pageSize", "expected 0 to 500"),
    ("GET", f"/v1/books?{'genres=1&' * 3}genres=1", None, "genres", "expected at most 3 items"),
    (
        "DELETE",
        f"/v1/books/{'1' * 5_000}a/reviews/1",
        None,
        "isbn",
        "expected to match [0-9X\\-]+",
    ),
    ("PUT", "/v1/reviews:replace", {"text": "x"}, "number", "expected at least 1"),
    (
        "POST",
        "/v1/books/1/reviews",
        {"text": "", "stars": {"plot": 1}},
        "text",
        "expected 1 to 10000 characters",
    ),
    ("POST", "/v1/books/1/reviews", {"text": "x"}, "stars", "expected 1 to 5 entries"),
]


@pytest.mark.parametrize("case", BROKEN_RULES)
async def test_a_request_that_breaks_a_rule_is_refused_by_name(
    client_over_bus: Client, mock: Any, case: tuple[str, str, Any, str, str]
) -> None:
    verb, path, body, field, reason = case
    status, problem = await client_over_bus(verb, path, body)
    assert (status, problem["code"]) == (400, "INVALID_ARGUMENT")
    assert problem["errors"] == [{"field": field, "detail": reason}]
    assert problem["detail"] == f"{field}: {reason}"
    methods = (mock.list_books, mock.delete_review, mock.put_review, mock.create_review)
    assert [each.requests for each in methods] == [[], [], [], []]


async def test_a_request_that_keeps_the_rules_is_answered(client_over_bus: Client) -> None:
    assert (await client_over_bus("PUT", "/v1/reviews:replace", {"number": 1}))[0] == 200
    assert (await client_over_bus("GET", "/v1/books?pageSize=500"))[0] == 200


async def test_a_method_without_query_fields_takes_no_query(client: Client) -> None:
    status, problem = await client("GET", "/v1/books/1?x=1")
    assert (status, problem["errors"][0]["field"]) == (400, "x")


async def test_a_body_can_be_one_field(client: Client, mock: Any, library: Any) -> None:
    body = {"isbn": "2", "genre": 2}
    assert (await client("PATCH", "/v1/books/1?dryRun=true", body))[0] == 200
    book = library.values.Book(isbn="2", genre=library.values.Genre.SCIENCE, cover=b"", rating=0.0)
    assert mock.update_book.requests == [
        library.api.UpdateBookRequest(isbn="1", book=book, dry_run=True)
    ]


@pytest.mark.parametrize(
    ("query", "mask"),
    [
        ("", None),
        ("?updateMask=", ()),
        ("?updateMask=genre", ("genre",)),
        ("?updateMask=genre,cover.pageCount", ("genre", "cover.page_count")),
        ("?update_mask=genre%2C*", ("genre", "*")),
    ],
)
async def test_a_field_mask_in_the_query_is_a_text(
    client: Client, mock: Any, query: str, mask: tuple[str, ...] | None
) -> None:
    assert (await client("PATCH", f"/v1/books/1{query}", {}))[0] == 200
    assert mock.update_book.requests[0].update_mask == mask


@pytest.mark.parametrize("mask", ["page_count", "a,,b", ",", "a b", "a,", "ä", '"a"&updateMask=b'])
async def test_a_wrong_field_mask_is_refused(client: Client, mask: str) -> None:
    status, problem = await client("PATCH", f"/v1/books/1?updateMask={quote(mask, safe='&=')}", {})
    assert (status, problem["errors"][0]["field"]) == (400, "updateMask")


async def test_a_method_may_take_and_give_nothing(client: Client, mock: Any) -> None:
    assert await client("POST", "/v1/readers:forget") == (200, {})
    assert await client("POST", "/v1/readers:forget", {}) == (200, {})
    assert mock.forget_readers.requests == [Empty(), Empty()]
    status, problem = await client("POST", "/v1/readers:forget", {"x": 1})
    assert (status, problem["errors"][0]["field"]) == (400, "x")


async def test_a_body_can_be_the_rest_of_the_message(
    client: Client, mock: Any, library: Any
) -> None:
    body = {"text": "Good.", "stars": {"style": 4}}
    answer = await client("POST", "/v1/books/1/reviews", body)
    assert answer == (200, {"number": str(2**63), "text": "Good."})
    assert mock.create_review.requests == [
        library.api.CreateReviewRequest(isbn="1", text="Good.", stars={"style": 4})
    ]


@pytest.mark.parametrize("isbn", ["1", "2"])
async def test_what_the_path_says_the_body_must_leave_out(
    client: Client, mock: Any, isbn: str
) -> None:
    status, problem = await client("POST", "/v1/books/1/reviews", {"isbn": isbn, "text": ""})
    assert (status, problem["errors"][0]["field"]) == (400, "isbn")
    assert mock.create_review.requests == []


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        (None, "text", "required, but absent"),
        ({"text": 1}, "text", "expected a string, got 1"),
        ({"text": "", "stars": {"a": "x"}}, "stars[a]", "expected an int32, got 'x'"),
        ({"x": 1}, "x", "unknown field; expected one of isbn, text, stars"),
        ([], "", "expected an object, got an array"),
    ],
)
async def test_a_wrong_body_is_refused_by_path(
    client: Client, body: Any, field: str, reason: str
) -> None:
    status, problem = await client("POST", "/v1/books/1/reviews", body)
    assert status == 400
    assert problem["detail"] == (f"{field}: {reason}" if field else reason)


async def test_a_number_in_the_path_is_read_as_one(client: Client, mock: Any) -> None:
    assert await client("DELETE", f"/v1/books/1/reviews/{2**64 - 1}") == (200, {})
    assert mock.delete_review.requests[0].number == 2**64 - 1
    status, problem = await client("DELETE", "/v1/books/1/reviews/x")
    assert (status, problem["errors"][0]["field"]) == (400, "number")


@pytest.fixture
def borrowing(library: SimpleNamespace, mock: Any) -> httpx.AsyncClient:
    """A client of the API as a process serves it."""

    async def ready() -> dict[str, bool]:
        return {"ready": True}

    class Borrowing:
        """Tells the key that it was called with."""

        def __getattr__(self, name: str) -> Any:
            return getattr(mock, name)

        async def borrow_book(self, request: Any) -> Any:
            return library.values.Book(isbn=f"{request.isbn} {idempotency_key()}", **rest)

    rest = {"genre": library.values.Genre.FICTION, "cover": b"", "rating": 4.5}
    bus = import_module("routed.api_bus")
    channel = strict_channel(bus.register_library_api(Borrowing()))
    served = application(
        [library.api_routes.LIBRARY_API_HTTP], lambda _: channel, ready, title="test"
    )
    transport = httpx.ASGITransport(served)  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_a_verb_after_a_variable_is_none_of_it(borrowing: httpx.AsyncClient) -> None:
    async with borrowing as http:
        answer = await http.post("/v1/books/1:2:borrow", headers={"Idempotency-Key": "k"})
        assert answer.json()["isbn"] == "1:2 k"
        assert (await http.get("/v1/books/1:borrow")).status_code == 405
        assert (await http.get("/v1/books/1%3Aborrow")).json() == BOOK
        assert (await http.post("/v1/books/1/:borrow")).status_code == 404


async def test_a_key_comes_from_its_header(borrowing: httpx.AsyncClient) -> None:
    async with borrowing as http:
        for headers, reason in (
            ([], "missing; expected 1 to 255 printable ASCII characters"),
            ([("Idempotency-Key", "")], "not a key; expected 1 to 255 printable"),
            ([("Idempotency-Key", "k"), ("idempotency-key", "k")], "given more than once"),
        ):
            answer = await http.post("/v1/books/1:borrow", headers=headers)
            assert answer.status_code == 400
            (error,) = answer.json()["errors"]
            assert error["field"] == "idempotency-key"
            assert error["detail"].startswith(reason)


async def test_a_verb_after_a_literal_is_part_of_it(client: Client) -> None:
    assert (await client("PUT", "/v1/reviews:replace", {}))[0] == 200


async def test_a_typed_error_is_a_problem_with_its_fields(
    client: Client, mock: Any, library: Any
) -> None:
    mock.get_book.raises(library.api.BookNotFoundError(library.api.BookNotFound(isbn="7")))
    status, problem = await client("GET", "/v1/books/7")
    assert status == 404
    assert problem["error"] == "BookNotFound"
    assert problem["fields"] == {"isbn": "7"}
    assert problem["detail"] == "There is no book with the ISBN '7'."


def test_the_openapi_document_describes_every_route(library: SimpleNamespace) -> None:
    document = library.api_openapi.DOCUMENT
    operations = {
        f"{verb} {path}": operation["operationId"]
        for path, item in document["paths"].items()
        for verb, operation in item.items()
    }
    assert operations == {
        "get /v1/books": "LibraryApi_ListBooks",
        "get /v1/genres/{genre}/books": "LibraryApi_ListBooks_2",
        "get /v1/books/{isbn}": "LibraryApi_GetBook",
        "post /v1/books/{isbn}:borrow": "LibraryApi_BorrowBook",
        "patch /v1/books/{isbn}": "LibraryApi_UpdateBook",
        "post /v1/books/{isbn}/reviews": "LibraryApi_CreateReview",
        "put /v1/reviews:replace": "LibraryApi_PutReview",
        "delete /v1/books/{isbn}/reviews/{number}": "LibraryApi_DeleteReview",
        "get /v1/books/{isbn}:watch": "LibraryApi_WatchBook",
        "get /v1/books/{isbn}:discuss": "LibraryApi_DiscussBook",
        "post /v1/readers:forget": "LibraryApi_ForgetReaders",
        "post /v1/everything:echo": "LibraryApi_EchoEverything",
    }


def test_every_reference_of_the_openapi_document_resolves(library: SimpleNamespace) -> None:
    document = library.api_openapi.DOCUMENT
    text = msgspec.json.encode(document).decode()
    schemas = document["components"]["schemas"]
    wanted = {part.partition('"')[0] for part in text.split('"#/components/schemas/')[1:]}
    assert wanted == schemas.keys()


def test_contracts_cannot_bind_the_paths_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def noted(app: Any, **_: object) -> Any:
        made.append(app)
        return app

    # By name, since the package has the function `application` in the module's place.
    monkeypatch.setattr(import_module("seam.http.application"), "as_sent", noted)

    async def readiness() -> dict[str, Any]:
        return {"ready": True}

    def channel(_: ServiceDescriptor) -> Channel:
        pytest.fail("there is no service")

    application([], channel, readiness, title="Test")
    assert {route.path for route in made[0].routes} == set(PROCESS_PATHS)
