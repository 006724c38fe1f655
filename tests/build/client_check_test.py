"""A change of a contract shows which programs of clients it breaks, before anything is run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def test_check_names_the_line_of_a_program_that_a_changed_contract_breaks(
    repository: Path,
) -> None:
    contract = repository / "protos/inventory/v1/api.proto"
    held = contract.read_text()
    changed = held.replace("string name = 2;", "string title = 2;", 1)
    assert changed != held
    contract.write_text(changed)
    try:
        checked = subprocess.run(
            ["./pants", "--no-pantsd", "check", "clients/python/examples/buy.py"],
            cwd=repository,
            env={key: value for key, value in os.environ.items() if not key.startswith("PEX")},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        contract.write_text(held)
    assert checked.returncode != 0
    said = checked.stdout + checked.stderr
    assert 'buy.py:28: error: "Item" has no attribute "name"' in said, said
