"""How often something may happen: `600/minute`."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_RATE: Final = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour|day)")
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}


class Rate(NamedTuple):
    """How often something may happen.

    Attributes:
        amount: how many times.
        seconds: in any span of so many.
    """

    amount: int
    seconds: int

    @staticmethod
    def parse(text: str) -> Rate:
        """Read `NUMBER/second`, `/minute`, `/hour` or `/day`.

        Raises:
            ValueError: it is none of these.
        """
        found = _RATE.fullmatch(text)
        if found is None:
            raise ValueError(
                "expected NUMBER/second, NUMBER/minute, NUMBER/hour or NUMBER/day, "
                "with a number from 1 to 999999999"
            )
        return Rate(int(found[1]), _SECONDS[found[2]])
