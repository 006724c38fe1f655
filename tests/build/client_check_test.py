"""A change of a contract shows which programs of clients it breaks, before anything is run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

CLIENTS: Final = (
    "clients/python/examples/buy.py",
    "clients/web:package",
    "clients/android::",
)

COMPLAINTS: Final = (
    r'clients/python/examples/buy\.py:28: error: "Item" has no attribute "name"',
    r"example/first_order\.ts\(8,27\): error TS2339: Property 'name' does not exist on type 'Item'",
    r"example/FirstOrder\.kt:23:22: error: unresolved reference 'name' on receiver of type 'Item'",
)


def test_check_names_the_lines_of_programs_that_a_changed_contract_breaks(
    repository: Path,
) -> None:
    contract = repository / "protos/inventory/v1/api.proto"
    held = contract.read_text()
    changed = held.replace("string name = 2;", "string title = 2;", 1)
    assert changed != held
    contract.write_text(changed)
    try:
        checked = subprocess.run(
            ["./pants", "--no-pantsd", "check", *CLIENTS],
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
    missing = [each for each in COMPLAINTS if not re.search(each, said)]
    assert missing == [], said
