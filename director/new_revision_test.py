"""A draft of a revision leads from the last one to the models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, Column, Dialect, Index, Integer, MetaData, String, Table
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.types import TypeDecorator, TypeEngine

from director.monolith import SERVICES
from director.new_revision import app, draft
from seam.persistence import Text
from seam.persistence.migrations import Migrations
from seam.testing.migrations import check_chain, check_expansion, check_models, check_reversal


class Words(TypeDecorator[str]):
    """Text that PostgreSQL has a type of its own for."""

    impl = String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        kind = TSVECTOR() if dialect.name == "postgresql" else String()
        return dialect.type_descriptor(kind)


def models(*, second: bool) -> MetaData:
    metadata = MetaData(schema="notes")
    note = Table(
        "note",
        metadata,
        Column("sku", Text("sku", 9, by_code_point=True), primary_key=True),
        Column("words", Text("words", 9), nullable=False),
        Column("found_by", Words, nullable=False),
        CheckConstraint("length(words) < 10", name="words_are_short"),
    )
    if second:
        note.append_column(Column("size", String, server_default="S", nullable=False))
        Index("note_by_size", note.c.size)
        Table("more", metadata, Column("number", Integer, primary_key=True, autoincrement=False))
    return metadata


def test_drafts_pass_every_check(tmp_path: Path) -> None:
    for index, second in enumerate((False, True)):
        migrations = Migrations(models(second=second), tmp_path / "versions")
        migrations.directory.mkdir(exist_ok=True)
        number, text = draft(migrations, "Say what is noted")
        assert number == f"000{index + 1}"
        # A revision names nothing of the code, which may change.
        assert "Words" not in text
        (migrations.directory / f"{number}_notes.py").write_text(text)
        migrations = Migrations(models(second=second), tmp_path / "versions")
        check_chain(migrations)
        check_models(f"sqlite:///{tmp_path}/models-{index}.db", migrations)
        check_reversal(f"sqlite:///{tmp_path}/reversal-{index}.db", migrations)
        check_expansion(f"sqlite:///{tmp_path}/expansion-{index}.db", migrations)


def test_a_draft_is_written_where_the_service_has_its_revisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    migrations = Migrations(models(second=False), tmp_path)
    service = replace(SERVICES[0], name="notes", migrations=migrations)
    monkeypatch.setattr("director.new_revision.SERVICES", (service,))
    versions = tmp_path / "notes/persistence/migrations/versions"
    versions.mkdir(parents=True)
    arguments = ["notes", "say: what's new", "--directory", str(tmp_path)]
    assert app(arguments, result_action="return_value") == 0
    file = versions / "0001_say_what_s_new.py"
    assert capsys.readouterr().out.replace("\n", "") == str(file)
    assert file.read_text().startswith('"""Say: what\'s new."""')


def test_where_nothing_has_changed_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["inventory", "nothing", "--directory", str(tmp_path)]
    assert app(arguments, result_action="return_value") == 1
    assert "the revisions of inventory lead to its tables already" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_service_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert app(["none", "words"], result_action="return_value") == 2
    assert "expected one of inventory, " in capsys.readouterr().err
