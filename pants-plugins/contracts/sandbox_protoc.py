"""Runs protoc in Pants' sandbox, under Python 3.11 with the requirements of the resolve `codegen`.

Usage: sandbox_protoc.py SHIMS ARGUMENT...

SHIMS is a JSON object from the name of a protoc plugin to the Python that it is: a module to run,
or a function `module:name` to call.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

import google.api  # pants: no-infer-dep
import grpc_tools  # pants: no-infer-dep
from grpc_tools import protoc  # pants: no-infer-dep


def main(shims: str, *arguments: str) -> int:
    """Write an executable for each plugin, then compile."""
    # Plugins run by this Python, which knows the requirements; their sources are in the sandbox.
    os.environ["PYTHONPATH"] = str(Path.cwd())
    plugins = []
    for name, plugin in json.loads(shims).items():
        module, _, function = plugin.partition(":")
        python = (
            [sys.executable, "-c", f"from {module} import {function}; {function}()"]
            if function
            else [sys.executable, "-m", module]
        )
        shim = Path(f"protoc-gen-{name}")
        shim.write_text(f"#!/bin/sh\nexec {shlex.join(python)}\n")
        shim.chmod(0o755)
        plugins.append(f"--plugin={shim.name}={shim.resolve()}")
    includes = (
        "protos",
        # google/protobuf/*.proto, and google/api/*.proto.
        str(Path(grpc_tools.__path__[0]) / "_proto"),
        str(Path(google.api.__path__[0]).parents[1]),
    )
    status: int = protoc.main(["protoc", *plugins, *(f"-I{path}" for path in includes), *arguments])
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
