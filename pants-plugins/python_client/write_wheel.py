"""Writes a wheel of pure Python, the same one byte by byte from the same files.

Usage: write_wheel.py PYPROJECT README LICENSE CONTENT OUT

CONTENT is the folder whose files the wheel installs; OUT is where the wheel goes.

Sources: the binary distribution format, https://packaging.python.org/specifications/
binary-distribution-format, and core metadata, …/core-metadata.
"""

from __future__ import annotations

import base64
import hashlib
import re
import sys
import zipfile
from pathlib import Path
from typing import Any, Final

import tomllib

# The earliest moment that a zip file can hold.
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
_WHEEL: Final = (
    "Wheel-Version: 1.0\nGenerator: write_wheel\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
)


def metadata(project: dict[str, Any], readme: str) -> str:
    """What the wheel says of itself."""
    rows = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license']}",
        "License-File: LICENSE",
        f"Requires-Python: {project['requires-python']}",
        "Description-Content-Type: text/markdown",
    ]
    rows += [f"Requires-Dist: {each}" for each in project["dependencies"]]
    for extra, requirements in sorted(project.get("optional-dependencies", {}).items()):
        rows.append(f"Provides-Extra: {extra}")
        rows += [f"Requires-Dist: {each}; extra == '{extra}'" for each in requirements]
    return "\n".join(rows) + f"\n\n{readme}"


def files_of(
    project: dict[str, Any], readme: str, license_text: str, content: Path
) -> dict[str, bytes]:
    """All files of a wheel but its record, by their path within.

    Args:
        project: the table `project` of a pyproject.toml.
        readme: what a person reads first, as Markdown.
        license_text: the licence.
        content: the folder whose files the wheel installs.
    """
    files = {
        path.relative_to(content).as_posix(): path.read_bytes()
        for path in sorted(content.rglob("*"))
        if path.is_file()
    }
    info = f"{stem_of(project)}.dist-info"
    files[f"{info}/METADATA"] = metadata(project, readme).encode()
    files[f"{info}/WHEEL"] = _WHEEL.encode()
    files[f"{info}/licenses/LICENSE"] = license_text.encode()
    return files


def stem_of(project: dict[str, Any]) -> str:
    """Name and version, as file names have them."""
    name = re.sub(r"[-_.]+", "_", project["name"]).lower()
    return f"{name}-{project['version']}"


def record_of(files: dict[str, bytes], path: str) -> bytes:
    """The list of all files with their digests, which lies at `path`."""
    rows = []
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(content)}")
    return "".join(f"{row}\n" for row in [*rows, f"{path},,"]).encode()


def main(pyproject: str, readme: str, license_file: str, content: str, out: str) -> None:
    """Write the wheel."""
    project = tomllib.loads(Path(pyproject).read_text())["project"]
    files = files_of(
        project, Path(readme).read_text(), Path(license_file).read_text(), Path(content)
    )
    path = f"{stem_of(project)}.dist-info/RECORD"
    files[path] = record_of(files, path)
    wheel = Path(out) / f"{stem_of(project)}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, held in files.items():
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, held)


if __name__ == "__main__":
    main(*sys.argv[1:])
