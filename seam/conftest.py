from __future__ import annotations

from seam.testing.properties import load_profile

load_profile()
