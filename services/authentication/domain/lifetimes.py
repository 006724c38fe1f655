"""How long tokens, sessions and keys are good for."""

from __future__ import annotations

from typing import Final

from services.authentication.domain.clock import DAY, SECOND

ACCESS_TOKEN_SECONDS: Final = 900
"""Nobody is asked whether one still holds: this is how long one outlives its session."""

REFRESH_TOKEN: Final = 30 * DAY
"""How long somebody may stay away and be signed in still."""

SESSION: Final = 90 * DAY
"""How long somebody is signed in without giving the password again."""

KEY: Final = 30 * DAY
"""How long a key signs."""

ANNOUNCEMENT: Final = 600 * SECOND
"""How long others know a key before it signs: longer than any of them keeps a list of keys."""

CLOCK_SKEW: Final = 300 * SECOND
"""How far clocks may be apart."""
