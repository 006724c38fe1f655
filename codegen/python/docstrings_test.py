"""A comment becomes a docstring, whatever marks it holds."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.python.docstrings import docstring

MARKS = st.text(st.sampled_from("\"\\' ax."), min_size=1, max_size=40)


@pytest.mark.parametrize(
    "text",
    ['Say """', '"""x"""', '"', '\\"', '\\\\"', '""""', 'ends with \\"""', "\\", "a\\", '"" "'],
)
def test_quotes_and_backslashes_survive(text: str) -> None:
    assert ast.literal_eval(docstring(text)) == text


@given(MARKS)
def test_every_docstring_is_one_text(text: str) -> None:
    # Spaces are folded, as lines are filled anew.
    assert ast.literal_eval(docstring(text)).split() == text.split()
