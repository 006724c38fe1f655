"""Runs one of the packed programs, such as the example, on the wheel's Java.

./pants run clients/android/run.py -- example.FirstOrderKt http://127.0.0.1:8080
"""

from __future__ import annotations

import subprocess
import sys

from clients.android.packed import java


def main(arguments: list[str]) -> int:
    """Run a program by its main class, with its arguments."""
    if not arguments:
        sys.exit("expected a main class, such as example.FirstOrderKt, and its arguments")
    return subprocess.run(java(*arguments), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
