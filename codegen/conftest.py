"""What generated code stands on.

The tests import generated modules, which no build tool sees. Importing the runtime here makes it a
dependency of every test.
"""

from __future__ import annotations

import seam.bus
import seam.codec.protojson
import seam.codec.wire  # noqa: F401 (it is for what imports it later)
from seam.testing.properties import load_profile

load_profile()
