"""Writes the documentation of the shop: `./pants docs`, or this module where Pants is not at hand.

It reads contracts from `protos/`, the code of `services/`, and pages, `*.md`, from everywhere below
the folder that it is started in, which is the root of the repository.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Final

from docs.site.pages import PageError, read_pages
from docs.site.rendering import render
from docs.site.survey import survey
from docs.site.system import put_together
from docs.site.usage import find_usage

from codegen.contract.model import RefusedContractError
from codegen.documentation.reading import UnreadableContractsError, read_contracts
from director.monolith import SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["main", "page_sources", "site_of", "write"]

_NO_PAGES: Final = frozenset({"dist", "node_modules"})


def main() -> None:
    """Write the site into a folder."""
    parser = ArgumentParser(prog="docs", description="Write the documentation as a site.")
    parser.add_argument("--output", type=Path, default=Path("dist/docs"), help="where it goes")
    output: Path = parser.parse_args().output
    try:
        site = site_of(Path())
    except (PageError, RefusedContractError, UnreadableContractsError) as problem:
        sys.exit(str(problem))
    write(site, output)


def site_of(root: Path) -> dict[str, str]:
    """The files of the site by place.

    Args:
        root: the root of the repository.

    Raises:
        PageError: a page links to what is not there.
        RefusedContractError: nothing can be generated from a contract.
        UnreadableContractsError: a contract is none.
    """
    contracts = read_contracts(root.resolve() / "protos")
    system = put_together(survey(SERVICES), contracts, find_usage(root, contracts))
    return render(system, read_pages(page_sources(root)))


def page_sources(root: Path) -> dict[str, str]:
    """The pages of the repository by place, in Markdown."""
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in _pages(root)}


def _pages(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in _NO_PAGES:
            continue
        if path.is_dir():
            yield from _pages(path)
        elif path.suffix == ".md":
            yield path


def write(site: Mapping[str, str], output: Path) -> None:
    """Write files into a folder, which is made."""
    for place, content in site.items():
        path = output / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
