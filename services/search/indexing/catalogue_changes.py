"""Follows the changes of the catalogue."""

from __future__ import annotations

from seam.persistence import Transaction
from services.inventory.records.messagebus import ItemChanged
from services.search.persistence.documents import Documents, prepared
from services.search.persistence.generations import lock_state


async def index_changed_item(event: ItemChanged, transaction: Transaction) -> None:
    """Let an item be found as it is now, in what is searched and in what is being built."""
    state = await lock_state(transaction)
    await Documents(transaction).put(state.generations, prepared([event.item]))
