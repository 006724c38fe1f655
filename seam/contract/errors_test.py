"""Errors say what happened, and an invalid value's path grows on its way up."""

from __future__ import annotations

import pickle
from typing import ClassVar

from google.rpc import code_pb2

from seam.contract.errors import Code, ContractError, InvalidField, StatusError
from seam.contract.records import Record


class ItemNotFound(Record, kw_only=True):
    sku: str
    class_: int


class ItemNotFoundError(ContractError[ItemNotFound]):
    name: ClassVar[str] = "inventory.v1.ItemNotFound"
    code = Code.NOT_FOUND
    text: ClassVar[str] = "There is no item '{sku}' of class {class_}."


def test_the_codes_are_those_of_google_rpc() -> None:
    assert {code.name: code.value for code in Code} == dict(code_pb2.Code.items())


def test_a_status_says_its_code_and_message() -> None:
    assert str(StatusError(Code.UNAVAILABLE, "Try again.")) == "UNAVAILABLE: Try again."


def test_a_typed_error_fills_its_text_from_the_record() -> None:
    error = ItemNotFoundError(ItemNotFound(sku="{x}", class_=2))
    assert error.message == "There is no item '{x}' of class 2."
    assert (error.code, error.name) == (Code.NOT_FOUND, "inventory.v1.ItemNotFound")


class Busy(Record, kw_only=True):
    wait: int


class BusyError(ContractError[Busy]):
    name: ClassVar[str] = "inventory.v1.Busy"
    code = Code.RESOURCE_EXHAUSTED
    text: ClassVar[str] = "Busy."
    retry_after_field: ClassVar[str] = "wait"


def test_a_typed_error_says_when_to_ask_again_if_its_contract_does() -> None:
    assert BusyError(Busy(wait=4)).retry_after == 4
    assert BusyError(Busy(wait=-1)).retry_after == 0
    assert ItemNotFoundError(ItemNotFound(sku="a", class_=2)).retry_after is None


def test_a_typed_error_survives_pickling() -> None:
    error = ItemNotFoundError(ItemNotFound(sku="a", class_=2))
    again = pickle.loads(pickle.dumps(error))
    assert again.record == error.record
    assert again.message == error.message


def test_the_path_of_an_invalid_field_grows_on_its_way_up() -> None:
    error = InvalidField("", "required").under("quantity").under("[2]").under("lines")
    assert (error.path, error.reason) == ("lines[2].quantity", "required")
    assert str(error) == "lines[2].quantity: required"
    assert str(InvalidField("", "no message")) == "no message"
