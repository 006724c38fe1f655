"""Adds up JUnit reports: prints the seconds of each layer of tests, then `N passed, N failed`.

Fails unless all passed, none was skipped, and some ran.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path
from xml.etree import ElementTree


def main(directory: Path) -> int:
    """Sum the reports in a directory and return the exit code."""
    tests: Counter[str] = Counter()
    seconds: defaultdict[str, float] = defaultdict(float)
    ran = failed = skipped = 0
    for report in sorted(directory.glob("**/*.xml")):
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            ran += int(suite.get("tests", "0"))
            failed += int(suite.get("failures", "0")) + int(suite.get("errors", "0"))
            skipped += int(suite.get("skipped", "0"))
            for case in suite.iter("testcase"):
                where = layer(case.get("classname", ""))
                tests[where] += 1
                seconds[where] += float(case.get("time", "0"))
    for where in sorted(tests):
        print(f"{where:<24}{tests[where]:>6} tests {seconds[where]:>8.1f} s")
    print(f"{ran - failed - skipped} passed, {failed} failed")
    return 0 if ran and not failed and not skipped else 1


def layer(module: str) -> str:
    """Name the layer that a test belongs to.

    Args:
        module: the test's module, such as `services.inventory.api.inventory_api_test`.
    """
    top, *inner = module.split(".")
    if top == "services":
        return f"services/*/{inner[1]}" if len(inner) > 2 else "services/*"
    return f"{top}/{inner[0]}" if len(inner) > 1 else top


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
