"""Who asks, as a parameter of statements that the call fills and nobody gives.

Rows that belong to somebody are found by their owner. If each handler had to say who that is, one
would forget it some day; so repositories write it into their statements, once:

    _FIND = Query(
        select(…).where(
            col(OrderRow.order_id) == bindparam("of"), col(OrderRow.owner) == current_subject()
        ),
        _order,
    )

It is read when a statement is run, and it is "" for who is not signed in and where there is no
call: in a subscriber, in the step of a saga, in a command. What these do with rows of everybody is
done by statements without it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BindParameter, bindparam

from seam.call import current_principal

__all__ = ["current_subject"]

_NAME: Final = "current_subject"


def current_subject() -> BindParameter[str]:
    """The subject of the principal who makes the current call; "" when nobody is signed in."""
    return bindparam(_NAME, callable_=_subject)


def _subject() -> str:
    return current_principal().subject
