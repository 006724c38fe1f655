from __future__ import annotations

from seam.persistence import Database
from services.authentication.records.messagebus import UserDeleted
from services.customer_chat.domain.chat_id import new_chat_id
from services.customer_chat.messagebus.deleted_users import delete_their_chats
from services.customer_chat.persistence.chats import ChatRepository
from services.customer_chat.persistence.entries import EntryRepository
from services.customer_chat.records.api import EntryKind, Participant


async def test_who_leaves_takes_their_chats_along_and_nobody_elses(database: Database) -> None:
    owners = ("ann", "bob", "ann")
    chats = {new_chat_id(at * 1_000): owner for at, owner in enumerate(owners, start=1)}
    for chat_id, owner in chats.items():
        async with database.transaction() as transaction:
            repository = ChatRepository(transaction)
            await repository.add(chat_id, owner, 1)
            position = await repository.advance(chat_id)
            assert position is not None
            await EntryRepository(transaction).add(
                chat_id,
                position,
                EntryKind.MESSAGE,
                participant=Participant.CUSTOMER,
                author=owner,
                at=1,
                message_id="1",
                text="Hello",
            )
    async with database.transaction() as transaction:
        await delete_their_chats(UserDeleted(user_id="ann"), transaction)
    for chat_id, owner in chats.items():
        found = await ChatRepository(database).find(chat_id)
        assert (found is None) == (owner == "ann")
