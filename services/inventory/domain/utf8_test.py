from __future__ import annotations

import codecs
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory.domain.utf8 import MAXIMUM_LINE_BYTES, UnreadableLineError, decoded

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


def read(content: bytes) -> list[str]:
    return list(decoded(io.BytesIO(content)))


def refusal(content: bytes) -> tuple[int, str, str]:
    """In which line the content cannot be read, where in it, and why."""
    lines = decoded(io.BytesIO(content))
    number = 0
    with pytest.raises(UnreadableLineError) as caught:
        for number, _ in enumerate(lines, start=1):  # noqa: B007
            pass
    return number + 1, caught.value.column, caught.value.reason


@given(text=TEXT.filter(lambda text: text[:1] not in {"\0", "\ufeff"} and text[1:2] != "\0"))
def test_whatever_is_utf_8_is_read_line_by_line_with_or_without_a_mark(text: str) -> None:
    lines = io.StringIO(text, newline="\n").readlines() or [""]
    assert read(text.encode()) == lines
    assert read(codecs.BOM_UTF8 + text.encode()) == lines


def test_the_first_byte_that_is_not_utf_8_is_named_by_line_and_column() -> None:
    content = "sku,name\nA,Größe\nB,Écrit bleu\n".encode() + "C,Ærø,Écrit".encode("latin-1")
    expected = "byte 0xc6 is not UTF-8; expected a file in UTF-8"
    assert refusal(content) == (4, "3", expected)
    assert refusal(b"\xc3\xa9\xc3\xa9\xff\n")[:2] == (1, "3")
    assert refusal(b"a\nb\xc3")[:2] == (2, "2")
    assert refusal(b"a\nb\xed\xa0\x80")[:2] == (2, "2")


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
    ],
)
def test_a_file_in_a_wider_encoding_is_called_by_its_name(encoding: str, name: str) -> None:
    content = "sku,name\n".encode(encoding)
    assert refusal(content) == (1, "", f"the file is in {name}; expected UTF-8")


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE])
def test_a_mark_tells_the_encoding_whatever_follows(mark: bytes) -> None:
    assert "expected UTF-8" in refusal(mark + b"sku")[2]


def test_a_line_without_an_end_is_not_read_to_its_end() -> None:
    file = io.BytesIO(b"a\n" + "ß".encode() * MAXIMUM_LINE_BYTES)
    with pytest.raises(UnreadableLineError, match=f"has more than {MAXIMUM_LINE_BYTES} bytes"):
        list(decoded(file))
    assert file.tell() <= MAXIMUM_LINE_BYTES + 2
