"""Names of contracts, and what they become."""

from __future__ import annotations

import pytest

from codegen.swift.names import (
    NameAllocator,
    case_name,
    escaped,
    member_name,
    method_name,
    namespace_name,
    type_name,
    value_name,
)


@pytest.mark.parametrize(
    ("name", "property_"),
    [
        ("card_number", "cardNumber"),
        ("line_2_of_3", "line2Of3"),
        ("SKU", "sKU"),
        ("_x", "x"),
        ("__", "x"),
        ("self", "self_"),
        ("init", "init_"),
        ("class", "class"),
    ],
)
def test_a_field_is_a_property_in_lower_camel_case(name: str, property_: str) -> None:
    assert member_name(name) == property_


def test_a_keyword_stands_in_backticks_where_it_is_declared() -> None:
    assert escaped("class") == "`class`"
    assert escaped("classes") == "classes"


@pytest.mark.parametrize(
    ("value", "case"),
    [
        ("CATEGORY_HOME", "home"),
        ("CATEGORY_HOME_AND_GARDEN", "homeAndGarden"),
        ("CATEGORY_2D", "category2d"),
        ("CATEGORY_NONE", "none_"),
        ("OTHER", "other"),
        ("CATEGORY_DEFAULT", "default"),
        ("CATEGORY_UNRECOGNIZED", "unrecognized_"),
    ],
)
def test_a_value_has_its_name_without_that_of_the_enum(value: str, case: str) -> None:
    assert value_name("Category", value) == case


def test_a_case_of_a_oneof_is_never_taken_for_an_absent_one() -> None:
    assert case_name("some") == "some_"


def test_a_package_is_a_namespace_without_its_version_unless_another_has_it_too() -> None:
    assert namespace_name("customer_chat.v1", whole=False) == "CustomerChat"
    assert namespace_name("customer_chat.v1", whole=True) == "CustomerChatV1"


@pytest.mark.parametrize(
    ("name", "type_"), [("Item", "Item"), ("Type", "Type_"), ("_", "X_"), ("class", "class_")]
)
def test_a_type_has_a_name_that_swift_takes(name: str, type_: str) -> None:
    assert type_name(name) == type_


def test_a_method_begins_with_a_small_letter() -> None:
    assert method_name("GetItem") == "getItem"
    assert method_name("HTTPRule") == "httpRule"


def test_two_things_never_have_one_name() -> None:
    names = NameAllocator({"a"})
    assert [names.take("a"), names.take("b"), names.take("a")] == ["a_", "b", "a__"]
