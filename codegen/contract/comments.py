"""Comments and locations of a contract."""

from __future__ import annotations

import re
import textwrap

from google.protobuf.descriptor_pb2 import FileDescriptorProto, SourceCodeInfo

from codegen.contract.model import Location, Problem, RefusedContractError

__all__ = ["SourceInfo", "first_sentence", "reflow"]

_LIST_ITEM = re.compile(r"\s|[-*+] |\d+[.)] |\|")


class SourceInfo:
    """Where the elements of a file stand, and what the comments above them say.

    Elements are addressed by paths of field numbers and indexes as in SourceCodeInfo.

    Args:
        file: a file with source information, as protoc gives it to plugins.

    Raises:
        RefusedContractError: a comment is no UTF-8 text.
    """

    def __init__(self, file: FileDescriptorProto) -> None:
        self._file = file.name
        self._found: dict[tuple[int, ...], SourceCodeInfo.Location] = {}
        for location in file.source_code_info.location:
            # One path can have several locations (each block of options): the first is the element.
            self._found.setdefault(tuple(location.path), location)
            if not (_is_text(location.leading_comments) and _is_text(location.trailing_comments)):
                place = self.location(*location.path)
                raise RefusedContractError([Problem(place, "the comment is no UTF-8 text")])

    def location(self, *path: int) -> Location:
        """Where an element begins; the closest one around it when it has no place of its own."""
        while path and path not in self._found:
            path = path[:-1]
        found = self._found.get(path)
        if found is None:
            return Location(self._file, 1, 1)
        return Location(self._file, found.span[0] + 1, found.span[1] + 1)

    def comment(self, *path: int) -> str:
        """The comment above an element, or else the one after it on its line; else empty."""
        found = self._found.get(path)
        if found is None:
            return ""
        return _clean(found.leading_comments) or _clean(found.trailing_comments)

    def file_comment(self) -> str:
        """What is said about the file: above `package`, or else above `syntax`."""
        package, syntax = (FileDescriptorProto.PACKAGE_FIELD_NUMBER, 12)
        return self.comment(package) or self.comment(syntax)


def _is_text(comment: object) -> bool:
    # protoc lets any byte through, and then Python's protobuf runtime gives bytes.
    return isinstance(comment, str)


def _clean(comment: str) -> str:
    """A comment without the space that stands between `//` and its text."""
    return textwrap.dedent("\n".join(line.rstrip() for line in comment.split("\n"))).strip()


def reflow(text: str, width: int) -> list[str]:
    """The lines of a text at another width. Lists, tables and indented lines stay as they are."""
    lines: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        if lines:
            lines.append("")
        rows = block.split("\n")
        if any(_LIST_ITEM.match(row) for row in rows):
            lines.extend(rows)
        else:
            lines.extend(
                textwrap.wrap(" ".join(rows), width, break_long_words=False, break_on_hyphens=False)
            )
    return lines


def first_sentence(text: str) -> str:
    """The first sentence of a comment, on one line."""
    paragraph = " ".join(re.split(r"\n\s*\n", text.strip())[0].split())
    match = re.match(r"(.+?[.!?;])(?=\s+[A-Z`'\"(]|$)", paragraph)
    return match.group(1).rstrip(";") if match else paragraph
