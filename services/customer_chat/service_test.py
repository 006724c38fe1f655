from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from contract.v1.dead_letters import ListDeadLettersRequest

from seam.bus import InProcessChannel, Registration
from seam.contract import ServiceDescriptor
from seam.events import Subscription
from seam.runtime import Resources
from seam.runtime.service import DatabaseLocation
from seam.testing import strict_channel
from seam.testing.dead_letters import leave_dead_letter
from services.authentication.records.messagebus_events import USER_DELETED
from services.customer_chat.records.api import GetChatRequest, OpenChatRequest
from services.customer_chat.records.api_bus import (
    CUSTOMER_CHAT_API,
    CUSTOMER_CHAT_DEAD_LETTERS_API,
    CustomerChatApiStub,
    CustomerChatDeadLettersApiStub,
)
from services.customer_chat.service import SERVICE, start


def _nowhere(descriptor: ServiceDescriptor) -> InProcessChannel:
    raise AssertionError(f"{descriptor.name} is needed")


async def test_the_service_answers_its_contract_needs_nobody_and_keeps_chats(
    database_url: str, acting: Callable[..., AbstractContextManager[None]]
) -> None:
    location = DatabaseLocation(url=database_url, embedded=True)
    with acting("ann"):
        async with start(Resources(location, _nowhere)) as provided:
            registrations = [each for each in provided if isinstance(each, Registration)]
            await leave_dead_letter("customer_chat", location.url, "1")
            letters = CustomerChatDeadLettersApiStub(strict_channel(*registrations))
            listed = await letters.list_dead_letters(
                ListDeadLettersRequest(page_size=0, page_token="")
            )
            assert [each.event_id for each in listed.dead_letters] == ["1"]
            subscriptions = [each for each in provided if isinstance(each, Subscription)]
            assert [each.event for each in subscriptions] == [USER_DELETED]
            assert {each.descriptor for each in registrations} == {
                CUSTOMER_CHAT_API,
                CUSTOMER_CHAT_DEAD_LETTERS_API,
            }
            assert {api.descriptor for api in SERVICE.http} == {
                CUSTOMER_CHAT_API,
                CUSTOMER_CHAT_DEAD_LETTERS_API,
            }
            api = CustomerChatApiStub(strict_channel(*registrations))
            chat = await api.open_chat(OpenChatRequest())
        async with start(Resources(location, _nowhere)) as provided:
            registrations = [each for each in provided if isinstance(each, Registration)]
            api = CustomerChatApiStub(strict_channel(*registrations))
            assert await api.get_chat(GetChatRequest(chat_id=chat.chat_id)) == chat
