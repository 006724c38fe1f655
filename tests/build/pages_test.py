"""The pages name files that exist: links, and paths in text, commands and examples of output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

PAGES: Final = ("README.md", "CONTRIBUTING.md", *map(str, sorted(Path("docs").glob("**/*.md"))))

FOLDERS: Final = (
    "3rdparty|benchmarks|codegen|conformance|director|docs|"
    "lib|pants-plugins|protos|seam|services|tests"
)
LINK: Final = re.compile(r"\]\((?!https?:|#)([^)#]+)")
PATH: Final = re.compile(rf"(?<![\w/.-])((?:{FOLDERS})/[\w./-]*\w)(?![\w/*<…-])")

# The service that docs/add-a-service.md adds.
MADE_UP: Final = re.compile(r"\breviews(_apart)?\b")


def named(page: str) -> Iterator[tuple[int, Path]]:
    """The files that a page names, each with its line."""
    folder = Path(page).parent
    for number, line in enumerate(Path(page).read_text().splitlines(), start=1):
        for target in LINK.findall(line):
            yield number, folder / target
        for target in PATH.findall(line):
            yield number, Path(target)


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    lost = [
        f"{page}:{number}: {path}"
        for number, path in named(page)
        if not (path.exists() or path.suffix == ".pex" or MADE_UP.search(path.as_posix()))
    ]
    assert lost == []
