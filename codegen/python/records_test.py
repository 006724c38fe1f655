"""Generated records and converters: what a person who uses them relies on."""

from __future__ import annotations

import importlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import json_format

from codegen.testing.compiling import TESTDATA, compile_contracts
from seam.contract.errors import Code, ContractError, InvalidField

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTRACTS = TESTDATA / "contracts"
NOON = datetime(2024, 5, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    out = tmp_path_factory.mktemp("generated")
    files = [f"library/v1/{file}.proto" for file in ("messagebus", "values")]
    modules = {file: f"lent.{Path(file).stem}" for file in files}
    contracts = [*files, "contract/v1/options.proto"]
    compile_contracts(CONTRACTS, out, contracts, modules=modules)
    sys.path.insert(0, str(out))
    found: dict[str, Any] = {}
    for module in ("values", "messagebus", "messagebus_wire", "messagebus_json", "messagebus_bus"):
        found |= vars(importlib.import_module(f"lent.{module}"))
    yield SimpleNamespace(**found)
    sys.path.remove(str(out))


@pytest.fixture
def book(library: SimpleNamespace) -> Any:
    return library.Book(isbn="1", genre=library.Genre.FICTION, cover=b"", rating=0.5)


@pytest.fixture
def loan(library: SimpleNamespace, book: Any) -> Any:
    return library.Loan(id="x", book=book, due=NOON, fines={"EUR": 2**53 + 1}, earlier=())


def borrower(library: SimpleNamespace, contact: Any = None) -> Any:
    kind = library.BorrowerKind.CARD
    return library.Borrower(contact=contact, class_="c", kind=kind, parts=())


def test_a_required_field_has_no_default(library: SimpleNamespace) -> None:
    with pytest.raises(TypeError, match="Missing required argument 'book'"):
        library.Loan(id="x", due=NOON, fines={}, earlier=())


def test_a_required_field_that_is_absent_on_the_wire_is_refused(library: SimpleNamespace) -> None:
    message = library.LOAN.message_type(id="x", earlier=[{"id": "y"}])
    with pytest.raises(InvalidField, match=r"^book: required, but absent$"):
        library.LOAN.from_proto(message)


def test_what_is_wrong_deep_in_a_message_is_refused_by_its_path(
    library: SimpleNamespace, loan: Any
) -> None:
    message = library.loan_to_proto(loan)
    message.earlier.append(library.loan_to_proto(loan))
    message.earlier[0].ClearField("due")
    with pytest.raises(InvalidField, match=r"^earlier\[0\]\.due: required, but absent$"):
        library.LOAN.decode(message.SerializeToString())
    value = json_format.MessageToDict(message)
    with pytest.raises(InvalidField, match=r"^earlier\[0\]\.due: required, but absent$"):
        library.loan_from_json(value)


@pytest.mark.parametrize("value", [{}, {"book": None, "due": "2024-05-31T12:00:00Z"}])
def test_a_required_field_that_is_absent_in_json_is_refused(
    library: SimpleNamespace, value: object
) -> None:
    with pytest.raises(InvalidField, match=r"^book: required, but absent$"):
        library.loan_from_json(value)


def test_a_oneof_is_a_tagged_union(library: SimpleNamespace) -> None:
    record = borrower(library, library.BorrowerContactEmail("a@b"))
    again = library.BORROWER.decode(library.BORROWER.encode(record))
    match again.contact:
        case library.BorrowerContactEmail(address):
            assert address == "a@b"
        case other:
            pytest.fail(f"{other}")
    assert library.borrower_to_json(record)["email"] == "a@b"


def test_an_empty_case_of_a_oneof_is_not_lost(library: SimpleNamespace) -> None:
    for contact in (
        library.BorrowerContactEmail(""),
        library.BorrowerContactGuardian(borrower(library)),
        library.BorrowerContactMoved(datetime(1970, 1, 1, tzinfo=UTC)),
    ):
        record = borrower(library, contact)
        assert library.BORROWER.decode(library.BORROWER.encode(record)) == record
        assert library.borrower_from_json(library.borrower_to_json(record)) == record


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"email": "", "moved": "1970-01-01T00:00:00Z"}, "moved: expected only one of email, gu"),
        ({"guardian": {"class": 1}}, "guardian.class: expected a string, got 1"),
        ({"kind": "CARD"}, "kind: expected one of KIND_UNSPECIFIED, KIND_CARD, got 'CARD'"),
        ({"parts": [{}, {"x": 1}]}, "parts[1].x: unknown field; the message has no fields"),
        ({"age": -1}, "age: expected a uint32, got -1"),
        ({"Email": ""}, "Email: unknown field; expected one of email, guardian, moved, nickname"),
    ],
)
def test_wrong_json_is_refused_by_its_path(
    library: SimpleNamespace, value: object, complaint: str
) -> None:
    with pytest.raises(InvalidField) as refused:
        library.borrower_from_json(value)
    assert str(refused.value).startswith(complaint)


def test_json_can_be_nested_as_deep_as_json_format_allows(library: SimpleNamespace) -> None:
    def nested(depth: int) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for _ in range(depth - 1):
            value = {"guardian": value}
        return value

    json_format.ParseDict(nested(100), library.BORROWER.message_type())
    library.borrower_from_json(nested(100))
    with pytest.raises(json_format.ParseError):
        json_format.ParseDict(nested(101), library.BORROWER.message_type())
    with pytest.raises(InvalidField, match="expected at most 100 messages inside each other"):
        library.borrower_from_json(nested(101))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"id": None}, "id: expected a value, got None"),
        ({"book": None}, "book: expected a record of library.v1.Book, got NoneType"),
        ({"due": NOON.replace(tzinfo=None)}, "due: expected a datetime with a time zone, got"),
        ({"due": "noon"}, "due: expected a datetime, got 'noon'"),
        ({"fines": {"EUR": "1"}}, "fines[EUR]: '1' was refused: "),
        ({"fines": {"EUR": 2**63}}, "fines[EUR]: 9223372036854775808 was refused: "),
        ({"earlier": None}, "earlier: expected a record of library.v1.Loan, got NoneType"),
    ],
)
def test_a_record_with_a_wrong_value_is_refused_by_its_path(
    library: SimpleNamespace, loan: Any, changes: dict[str, Any], complaint: str
) -> None:
    fields = {name: getattr(loan, name) for name in loan.__struct_fields__}
    with pytest.raises(InvalidField) as refused:
        library.LOAN.encode(library.Loan(**{**fields, **changes}))
    assert str(refused.value).startswith(complaint)


@pytest.mark.parametrize(
    ("contact", "complaint"),
    [
        ("a@b", "contact: expected a case of the oneof, got str"),
        ("BorrowerContactEmail", "email: 1 was refused: "),
    ],
)
def test_a_oneof_with_a_wrong_value_is_refused(
    library: SimpleNamespace, contact: str, complaint: str
) -> None:
    wrong = getattr(library, contact)(1) if hasattr(library, contact) else contact
    with pytest.raises(InvalidField) as refused:
        library.BORROWER.encode(borrower(library, wrong))
    assert str(refused.value).startswith(complaint)


def test_an_enum_number_that_is_unknown_survives(library: SimpleNamespace, book: Any) -> None:
    unknown = library.Genre(77)
    record = library.Book(isbn="1", genre=unknown, cover=b"", rating=0.5)
    loan = library.Loan(id="x", book=record, due=NOON, fines={}, earlier=())
    assert library.LOAN.decode(library.LOAN.encode(loan)).book.genre == unknown
    assert library.loan_to_json(loan)["book"]["genre"] == 77
    assert library.loan_from_json(library.loan_to_json(loan)) == loan


def test_an_error_carries_its_record_and_says_what_happened(library: SimpleNamespace) -> None:
    error = library.BookLentError(library.BookLent(isbn="7", class_="c", due=NOON))
    assert isinstance(error, ContractError)
    assert error.code is Code.FAILED_PRECONDITION
    assert error.message == "The book '7' of class c is lent until 2024-05-31 12:00:00+00:00."
    assert error.record.isbn == "7"


def test_a_method_says_what_its_contract_does(library: SimpleNamespace) -> None:
    method = library.LIBRARY_LEND_BOOK
    assert method.full_name == "library.v1.Library/LendBook"
    assert method.timeout == 1.5
    assert method.idempotency_level.name == "IDEMPOTENT"
    assert [error.exception for error in method.errors] == [
        library.BookLentError,
        library.NoSuchBookError,
    ]
    assert library.LIBRARY_COUNT_BOOKS.timeout == 10.0
    assert library.LIBRARY_COUNT_BOOKS.idempotency_level.name == "UNKNOWN"
