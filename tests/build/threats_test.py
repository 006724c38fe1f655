"""The page of threats names tests that exist, and all of those that attack."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

PAGE: Final = Path("docs/security.md")
NAMED: Final = re.compile(r"`([\w/]+_test\.py)::(\w+)`")
ROW: Final = re.compile(r"^\| (?P<threat>[^|]+) \| (?P<answer>[^|]+) \| (?P<tests>.+) \|$")

# Tests of tests.
OF_ITSELF: Final = {
    "test_a_document_that_says_less_than_is_answered_is_found_out",
    "test_a_token_that_the_shop_could_have_made_is_taken",
}


@cache
def names_of_tests(path: Path) -> frozenset[str]:
    """The names of the tests in a file."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = {node.name for node in ast.parse(path.read_text()).body if isinstance(node, functions)}
    return frozenset(name for name in found if name.startswith("test_"))


def named() -> set[tuple[str, str]]:
    return {(path, name) for path, name in NAMED.findall(PAGE.read_text())}


def test_there_is_a_table() -> None:
    assert len(named()) > 40


@pytest.mark.parametrize(("path", "name"), sorted(named()))
def test_a_test_that_the_page_names_exists(path: str, name: str) -> None:
    assert name in names_of_tests(Path(path))


def test_each_threat_has_an_answer_and_a_test() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    threats = [line for line in rows if not line.startswith("| threat")]
    for line in threats:
        row = ROW.match(line)
        assert row is not None, line
        assert NAMED.search(row["tests"]), line
    assert len(threats) > 30


def test_each_attack_is_on_the_page() -> None:
    on_page = {name for path, name in named() if path.startswith("tests/abuse/")}
    there = {
        name for path in Path("tests/abuse").glob("*_test.py") for name in names_of_tests(path)
    }
    assert there - on_page - OF_ITSELF == set()
