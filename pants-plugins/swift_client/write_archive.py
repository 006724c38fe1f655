"""Packs a Swift package: `write_archive.py FOLDER OUTPUT VERSION`.

The archive is a zip with one folder inside, as `swift package archive-source` and registries of
packages have it (https://github.com/swiftlang/swift-package-manager/blob/main/Documentation/PackageRegistry/Registry.md).
The same files give the same archive.
"""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

NAME = re.compile(r'Package\(\s*name: "([^"]+)"')
VERSION = re.compile(r"^// Version (\S+)$", re.MULTILINE)
# The earliest that a zip can say.
TIME = (1980, 1, 1, 0, 0, 0)


def main(folder: str, output: str, version: str) -> None:
    """Write `NAME-VERSION.zip`.

    Raises:
        SystemExit: Package.swift has no name, or another version.
    """
    manifest = Path(folder, "Package.swift").read_text()
    name, stated = NAME.search(manifest), VERSION.search(manifest)
    if name is None or stated is None or stated[1] != version:
        sys.exit(f'Package.swift: expected a line "// Version {version}" and a package with a name')
    with zipfile.ZipFile(Path(output, f"{name[1]}-{version}.zip"), "w") as archive:
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(f"{name[1]}/{path.relative_to(folder)}", TIME)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
