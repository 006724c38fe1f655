"""`./pants` on machines that lack something."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

# What any machine with git has.
TOOLS: Final = ("bash", "cat", "dirname", "env", "find", "git", "sed", "sort", "uname")


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """A PATH without any Python, and a home without anything."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, f"{tool} is not on PATH"
        (tools / tool).symlink_to(found)
    (tmp_path / "home").mkdir()
    return tmp_path


def run_pants(machine: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["./pants", "--version"],
        env={
            "PATH": str(machine / "bin"),
            "HOME": str(machine / "home"),
            "XDG_CACHE_HOME": str(machine / "cache"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{text}\n")
    path.chmod(0o755)


def test_without_python_3_9_it_says_what_to_install(bare_machine: Path) -> None:
    run = run_pants(bare_machine)
    assert run.returncode == 1
    assert "Python 3.9, which runs Pants, was not found" in run.stderr
    assert "uv python install 3.9" in run.stderr
    assert "PANTS_PYTHON" in run.stderr


def test_a_shim_that_does_not_run_is_no_python(bare_machine: Path) -> None:
    write_program(bare_machine / "bin" / "python3.9", "exit 127")
    assert "Python 3.9, which runs Pants, was not found" in run_pants(bare_machine).stderr


def test_without_python_3_11_it_says_what_to_install(bare_machine: Path) -> None:
    # Answers every question as a Python 3.9 would that has all it needs.
    write_program(bare_machine / "bin" / "python3.9", "exit 0")
    run = run_pants(bare_machine)
    assert run.returncode == 1
    assert "Python 3.11, which runs the system, was not found" in run.stderr
    assert "uv python install 3.11" in run.stderr


@pytest.mark.parametrize("variable", ["PANTS_PYTHON", "PANTS_PROJECT_PYTHON"])
def test_a_wrong_choice_of_python_is_named(bare_machine: Path, variable: str) -> None:
    write_program(bare_machine / "bin" / "python3.9", "exit 0")
    run = run_pants(bare_machine, **{variable: "/nowhere/python"})
    assert run.returncode == 1
    assert f"{variable} is '/nowhere/python'" in run.stderr


@pytest.mark.parametrize("place", ["pyenv", "uv"])
def test_python_is_found_where(bare_machine: Path, place: str) -> None:
    python = bare_machine / "home/.pyenv/versions/3.9.18/bin/python3.9"
    if place == "uv":
        python = bare_machine / "elsewhere" / "python3.9"
        write_program(bare_machine / "bin" / "uv", f'[[ "$*" == *3.9 ]] && echo {python} || exit 2')
    write_program(python, "exit 0")
    # It goes on to look for the other one.
    assert "Python 3.11, which runs the system" in run_pants(bare_machine).stderr
