"""How a request beyond a rate limit is refused.

Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/, and `Retry-After`
of RFC 9110.
"""

from __future__ import annotations

from litestar.types import Send

from seam.contract import Code
from seam.http.problem import send_problem
from seam.http.rate_limits.limiter import Refusal


async def refuse_for_now(send: Send, refusal: Refusal) -> None:
    """Answer a request that is one too many, and say when to come again."""
    name, rate, seconds = refusal
    amount = f"{rate.amount:,} requests in {rate.seconds:,} s"
    await send_problem(
        send,
        429,
        Code.RESOURCE_EXHAUSTED,
        detail=f"too many requests of one {name}; expected at most {amount}",
        headers=[
            (b"retry-after", b"%d" % seconds),
            (b"ratelimit-policy", b'"%b";q=%d;w=%d' % (name.encode(), *rate)),
            (b"ratelimit", b'"%b";r=0;t=%d' % (name.encode(), seconds)),
        ],
    )
