"""Which e-mail addresses an order may have.

Source: what browsers accept, https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address.
Nothing that could end a line or a header can be part of one. How long it may be says RFC 5321.
"""

from __future__ import annotations

import re
from typing import Final

MAXIMUM_EMAIL_LENGTH: Final = 254

_LABEL: Final = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_ADDRESS: Final = re.compile(rf"[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")


def is_email_address(text: str) -> bool:
    """Whether somebody can be written to there, as far as one can see."""
    return len(text) <= MAXIMUM_EMAIL_LENGTH and _ADDRESS.fullmatch(text) is not None
