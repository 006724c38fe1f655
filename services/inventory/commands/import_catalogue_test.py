from __future__ import annotations

import asyncio
import codecs
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from seam.contract import Code, StatusError
from seam.persistence import open_database
from seam.persistence.migrations.steps import upgrade
from services.inventory.commands.catalogue_loading import CHUNK, load
from services.inventory.commands.import_catalogue import commands
from services.inventory.domain.catalogue_csv import MAXIMUM_MISTAKES
from services.inventory.persistence.items import ItemRepository
from services.inventory.persistence.migrations import MIGRATIONS
from services.inventory.persistence.search import search
from services.inventory.persistence.tables import Table
from services.inventory.records.api import Item

HEADER = "sku,name,description,category,price,currency,stock\n"
MUG = 'KIT-MUG-0001,Mug,"Holds tea, or coffee.",kitchen,9.90,EUR,7\n'
PEN = "STA-PEN-0001,Pen,Écrit bleu.,stationery,2.40,EUR,100\n"


@pytest.fixture
def database_url(database_url: str) -> str:
    """URL of a database that has the inventory's tables."""
    upgrade(database_url, MIGRATIONS)
    return database_url


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    """URL of such a database in a file."""
    url = f"sqlite:///{tmp_path}/inventory.db"
    upgrade(url, MIGRATIONS)
    return url


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """A file to import, not written yet."""
    return tmp_path / "catalogue.csv"


def import_into(url: str, file: Path) -> object:
    """Run `inventory import` as its command line does, and give the exit code."""
    return commands(
        ["import", str(file), "--database", f"inventory={url}"],
        result_action="return_value",
        exit_on_error=False,
    )


def stored(url: str) -> dict[str, Item]:
    async def read() -> dict[str, Item]:
        async with open_database(url, Table.metadata) as database:
            return {item.sku: item for item in await ItemRepository(database).page("", 5000)}

    return asyncio.run(read())


def test_a_good_file_is_imported_and_counted(
    database_url: str, catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue.write_text(HEADER + MUG + PEN, encoding="utf-8")
    assert import_into(database_url, catalogue) == 0
    assert capsys.readouterr().out == "imported 2 items\n"
    items = stored(database_url)
    assert items.keys() == {"KIT-MUG-0001", "STA-PEN-0001"}
    assert items["KIT-MUG-0001"].description == "Holds tea, or coffee."
    assert items["STA-PEN-0001"].description == "Écrit bleu."


def test_a_second_import_replaces_known_items_and_keeps_the_others(
    database_url: str, catalogue: Path
) -> None:
    catalogue.write_text(HEADER + MUG + PEN, encoding="utf-8")
    assert import_into(database_url, catalogue) == 0
    catalogue.write_text(
        HEADER
        + "KIT-MUG-0001,Big mug,,kitchen,12.00,EUR,0\n"
        + "KIT-PAN-0001,Pan,,kitchen,46.00,EUR,3\n",
        encoding="utf-8",
    )
    assert import_into(database_url, catalogue) == 0
    items = stored(database_url)
    assert {sku: (item.name, item.stock) for sku, item in items.items()} == {
        "KIT-MUG-0001": ("Big mug", 0),
        "KIT-PAN-0001": ("Pan", 3),
        "STA-PEN-0001": ("Pen", 100),
    }


def test_importing_the_same_file_again_changes_nothing(database_url: str, catalogue: Path) -> None:
    catalogue.write_text(HEADER + MUG + PEN, encoding="utf-8")
    assert import_into(database_url, catalogue) == 0
    before = stored(database_url)
    assert import_into(database_url, catalogue) == 0
    assert stored(database_url) == before


def test_one_mistake_and_nothing_is_imported(
    database_url: str, catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue.write_text(HEADER + MUG + PEN.replace("2.40", "cheap"), encoding="utf-8")
    assert import_into(database_url, catalogue) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert (
        f"{catalogue}: line 3, column price: 'cheap' is not a price; "
        "expected a number with at most 2 decimals\nnothing was imported\n"
    ) in said.err
    assert stored(database_url) == {}


def test_of_many_mistakes_the_first_are_shown_and_the_rest_counted(
    tmp_path: Path, catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"SKU-{number},Thing,,home,?,EUR,1\n" for number in range(MAXIMUM_MISTAKES + 3))
    catalogue.write_text(HEADER + rows, encoding="utf-8")
    assert import_into(f"sqlite:///{tmp_path}/inventory.db", catalogue) == 1
    errors = capsys.readouterr().err
    assert errors.count("column price") == MAXIMUM_MISTAKES
    assert f"line {MAXIMUM_MISTAKES + 1}, column price" in errors
    assert f"{catalogue}: and 3 more mistakes\n" in errors


def test_prices_in_another_currency_than_the_shop_s_are_refused_and_nothing_is_imported(
    database_url: str, catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue.write_text(HEADER + MUG, encoding="utf-8")
    assert import_into(database_url, catalogue) == 0
    before = stored(database_url)
    catalogue.write_text(HEADER + PEN.replace("EUR", "CHF"), encoding="utf-8")
    assert import_into(database_url, catalogue) == 1
    errors = capsys.readouterr().err
    assert (
        f"{catalogue}: all prices must be in one currency; there would be "
        "CHF (as of 'STA-PEN-0001'), EUR (as of 'KIT-MUG-0001')\nnothing was imported\n"
    ) in errors
    assert stored(database_url) == before


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_file_as_spreadsheets_write_it_is_read_whatever_its_mark_and_line_ends(
    file_url: str, catalogue: Path, line_end: str
) -> None:
    text = (HEADER + MUG + PEN).replace("\n", line_end)
    catalogue.write_bytes(codecs.BOM_UTF8 + text.encode())
    assert import_into(file_url, catalogue) == 0
    assert stored(file_url).keys() == {"KIT-MUG-0001", "STA-PEN-0001"}


def test_a_cell_of_several_lines_does_not_shift_the_lines_of_mistakes(
    tmp_path: Path, catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mug = MUG.replace("Holds tea, or coffee.", "Holds tea,\nor coffee.\n\u2028Or both.\x0b")
    catalogue.write_text(HEADER + mug + PEN.replace("2.40", "?"), encoding="utf-8")
    assert import_into(f"sqlite:///{tmp_path}/inventory.db", catalogue) == 1
    assert f"{catalogue}: line 5, column price" in capsys.readouterr().err


def test_a_file_that_is_not_utf_8_is_told_by_line_and_column_of_the_first_byte(
    tmp_path: Path, catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue.write_bytes((HEADER + PEN).encode("latin-1"))
    url = f"sqlite:///{tmp_path}/inventory.db"
    assert import_into(url, catalogue) == 1
    errors = capsys.readouterr().err
    assert (
        f"{catalogue}: line 2, column 18: byte 0xc9 is not UTF-8; expected a file in UTF-8\n"
        "nothing was imported\n"
    ) in errors
    assert stored(url) == {}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_a_file_in_utf_16_is_called_so(
    tmp_path: Path, catalogue: Path, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    catalogue.write_bytes((HEADER + PEN).encode(encoding))
    assert import_into(f"sqlite:///{tmp_path}/inventory.db", catalogue) == 1
    expected = f"{catalogue}: line 1: the file is in UTF-16; expected UTF-8\n"
    assert expected in capsys.readouterr().err


def test_a_database_that_goes_away_meanwhile_is_told_in_one_line_and_nothing_is_imported(
    tmp_path: Path,
    file_url: str,
    catalogue: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalogue.write_text(HEADER + MUG, encoding="utf-8")

    async def remove_and_load(*arguments: Any) -> None:
        (tmp_path / "inventory.db").unlink()
        await load(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("services.inventory.commands.import_catalogue.load", remove_and_load)
        assert import_into(file_url, catalogue) == 1
    assert "inventory is not available\nnothing was imported\n" in capsys.readouterr().err


def test_a_file_that_is_not_there_cannot_be_read(
    tmp_path: Path, catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert import_into(f"sqlite:///{tmp_path}/inventory.db", catalogue) == 1
    errors = capsys.readouterr().err
    assert f"{catalogue}: cannot be read:" in errors
    assert "No such file or directory" in errors


def test_a_header_alone_imports_nothing_and_is_no_mistake(
    file_url: str, catalogue: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue.write_text(HEADER, encoding="utf-8")
    assert import_into(file_url, catalogue) == 0
    assert capsys.readouterr().out == "imported 0 items\n"


def test_without_settings_the_embedded_database_of_the_working_directory_is_filled(
    tmp_path: Path, catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    catalogue.write_text(HEADER + MUG, encoding="utf-8")
    result = commands(["import", str(catalogue)], result_action="return_value")
    assert result == 0
    assert stored(f"sqlite:///{tmp_path}/.data/inventory.db").keys() == {"KIT-MUG-0001"}


def test_the_data_directory_can_be_named(tmp_path: Path, catalogue: Path) -> None:
    catalogue.write_text(HEADER + MUG, encoding="utf-8")
    arguments = ["import", str(catalogue), "--data", str(tmp_path / "elsewhere")]
    assert commands(arguments, result_action="return_value") == 0
    assert stored(f"sqlite:///{tmp_path}/elsewhere/inventory.db").keys() == {"KIT-MUG-0001"}


IMPORT = """
import sys
from services.inventory.commands.import_catalogue import commands
commands(sys.argv[1:])
"""


async def test_an_import_that_is_killed_has_written_whole_parts_and_another_completes_it(
    database_url: str, catalogue: Path
) -> None:
    size = 20 * CHUNK
    rows = "".join(f"S-{number:05},Thing {number},,home,1,EUR,1\n" for number in range(size))
    await asyncio.to_thread(catalogue.write_text, HEADER + rows, encoding="utf-8")
    arguments = ("import", str(catalogue), "--database", f"inventory={database_url}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    importing = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", IMPORT, *arguments), env=environment
    )
    async with open_database(database_url, Table.metadata) as database:
        items = ItemRepository(database)
        try:
            count = 0
            async with asyncio.timeout(60):
                while not count:
                    await asyncio.sleep(0.01)
                    count = await items.count()
        finally:
            importing.kill()
            await importing.wait()
        count = await items.count()
        assert 0 < count < size
        assert count % CHUNK == 0
        found = await search(database, (f"{count - 1}",), "", 1)
        assert [item.sku for item in found] == [f"S-{count - 1:05}"]
        assert not await search(database, (f"{count}",), "", 1)
    assert await asyncio.to_thread(import_into, database_url, catalogue) == 0
    async with open_database(database_url, Table.metadata) as database:
        assert await ItemRepository(database).count() == size
        found = await search(database, (f"{size - 1}",), "", 1)
        assert [item.sku for item in found] == [f"S-{size - 1:05}"]


def test_what_an_import_that_fails_in_the_middle_has_written_is_told(
    database_url: str,
    catalogue: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    catalogue.write_text(HEADER + MUG + PEN, encoding="utf-8")
    monkeypatch.setattr("services.inventory.commands.catalogue_loading.CHUNK", 1)
    put = ItemRepository.put

    async def fail(self: ItemRepository, items: Sequence[Item]) -> None:
        if items[0].sku.startswith("STA"):
            raise StatusError(Code.UNAVAILABLE, "inventory is not available")
        await put(self, items)

    with monkeypatch.context() as patch:
        patch.setattr(ItemRepository, "put", fail)
        assert import_into(database_url, catalogue) == 1
    expected = "not available\n1 of 2 items were imported; import the file again\n"
    assert expected in capsys.readouterr().err
    assert stored(database_url).keys() == {"KIT-MUG-0001"}
