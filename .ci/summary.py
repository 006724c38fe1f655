"""Adds up JUnit reports: prints `N passed, N failed`, and fails unless all passed and some ran."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree


def main(directory: Path) -> int:
    """Sum the reports in a directory; gives the exit code."""
    ran = failed = skipped = 0
    for report in sorted(directory.glob("**/*.xml")):
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            ran += int(suite.get("tests", "0"))
            failed += int(suite.get("failures", "0")) + int(suite.get("errors", "0"))
            skipped += int(suite.get("skipped", "0"))
    print(f"{ran - failed - skipped} passed, {failed} failed")
    return 0 if ran and not failed and not skipped else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
