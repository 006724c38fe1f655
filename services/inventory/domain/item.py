"""What an item must look like."""

from __future__ import annotations

from typing import Final

MAXIMUM_SKU_LENGTH: Final = 64
MAXIMUM_NAME_LENGTH: Final = 200
MAXIMUM_DESCRIPTION_LENGTH: Final = 4000
MAXIMUM_STOCK: Final = 1_000_000_000
MAXIMUM_MINOR_UNITS: Final = 1_000_000_000_000
