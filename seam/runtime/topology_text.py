"""The text of a topology file: read within bounds, and pointed at where it is wrong."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from seam.runtime.toml_lines import line_of
from seam.runtime.topology import TopologyError, shown
from seam.runtime.type_words import in_words

MAXIMUM_BYTES: Final = 64 * 1024

MAXIMUM_LINE: Final = 1_000
"""Characters of a line. A dotted key cannot be longer, and the parser takes the square of that."""

T = TypeVar("T")

_AT: Final = re.compile(r"(?P<reason>.*?)(?: - at `\$\.?(?P<key>\w*).*`)?", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_TOML_LINE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)")


class TopologyText:
    """The text of one file, and the services that it may name."""

    def __init__(self, path: Path, known: Sequence[str], *, whole_system: bool) -> None:
        """Read a file.

        Args:
            path: the file.
            known: names of the services that must be placed.
            whole_system: whether these are all services there are.

        Raises:
            TopologyError: it cannot be read.
        """
        self._path = path
        self._text = _text(path)
        self.known = known
        self._whole_system = whole_system

    def document(self) -> dict[str, Any]:
        """The file as TOML.

        Raises:
            TopologyError: it is none.
        """
        lines = self._text.split("\n")
        for number, text in enumerate(lines, start=1):
            if len(text) > MAXIMUM_LINE:
                raise TopologyError(
                    f"{self._path}:{number}: a line of more than {MAXIMUM_LINE} characters"
                )
        try:
            return tomllib.loads(self._text)
        except RecursionError:
            raise TopologyError(f"{self._path}:1: not valid TOML: nested too deeply") from None
        except ValueError as error:
            where = _TOML_LINE.search(str(error))
            line = int(where[1] or len(lines)) if where else 1
            reason = shown(_TOML_LINE.sub("", str(error)))[1:-1]
            raise TopologyError(f"{self._path}:{line}: not valid TOML: {reason}") from None

    def convert(self, value: object, kind: type[T], *path: str) -> T:
        """Check a value, which stands at `path`, and give it a type.

        Raises:
            TopologyError: it is something else.
        """
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            found = _AT.fullmatch(str(error))
            reason, key = (found["reason"], found["key"]) if found else (str(error), "")
            if unknown := _UNKNOWN.fullmatch(reason):
                expected = ", ".join(kind.__struct_fields__)  # type: ignore[attr-defined]
                reason = f"unknown setting {shown(unknown[1])}; expected {expected}"
                raise self.error((*path, unknown[1]), reason) from None
            where = (*path, key) if key else path
            name = key or shown(where[-1])
            raise self.error(where, f"{name}: {in_words(reason)}") from None

    def check_known(self, service: str, *path: str, mention: str = "") -> None:
        """Check that a name is that of a service.

        Raises:
            TopologyError: there is no such service.
        """
        if self._whole_system and service not in self.known:
            expected = ", ".join(sorted(self.known))
            reason = f"unknown service {shown(service)}; expected one of {expected}"
            raise self.error(path, reason, mention)

    def where(self, path: Sequence[str], mention: str = "") -> str:
        """The file and the line of what stands at a path; of what is mentioned there, if it is."""
        return f"{self._path}:{line_of(self._text, path, mention)}"

    def error(self, path: Sequence[str], reason: str, mention: str = "") -> TopologyError:
        """What is wrong with what stands at a path, with file and line."""
        return TopologyError(f"{self.where(path, mention)}: {reason}")


def _text(path: Path) -> str:
    """The text of a file, which is bounded before it is read."""
    try:
        # A pipe would be waited for as soon as it is opened.
        is_file = stat.S_ISREG(path.stat().st_mode)
        content = b""
        if is_file:
            with path.open("rb") as file:
                content = file.read(MAXIMUM_BYTES + 1)
    except (OSError, ValueError) as error:
        raise TopologyError(f"{path}: cannot read the topology: {error}") from None
    if not is_file:
        raise TopologyError(f"{path}: cannot read the topology: not a regular file")
    if len(content) > MAXIMUM_BYTES:
        raise TopologyError(f"{path}:1: larger than {MAXIMUM_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise TopologyError(f"{path}:{line}: not valid TOML: expected UTF-8 text") from None
