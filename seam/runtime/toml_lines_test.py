from __future__ import annotations

from seam.runtime.toml_lines import line_of

TEXT = """\
# a comment
data = "x"

[process.one]
services = [
  "inventory",
  "cart",
]

[process."two"]
http = "127.0.0.1:1"
"""


def test_a_key_is_found_below_its_table() -> None:
    assert line_of(TEXT, ("process", "two", "http")) == 11
    assert line_of(TEXT, ("data",)) == 2


def test_an_element_of_an_array_is_found_below_its_key() -> None:
    assert line_of(TEXT, ("process", "one", "services"), "cart") == 7


def test_a_key_that_is_not_there_is_shown_where_its_table_begins() -> None:
    assert line_of(TEXT, ("process", "one", "grpc")) == 4
    assert line_of(TEXT, ("nothing",)) == 1


def test_a_table_without_a_line_of_its_own_is_shown_where_one_inside_of_it_begins() -> None:
    assert line_of(TEXT, ("process",)) == 4
