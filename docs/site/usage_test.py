"""Code that uses contracts is found, in this repository and in every way of writing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from docs.site.conftest import ROOT
from docs.site.usage import Use, find_usage

from codegen.documentation.reading import read_contracts

if TYPE_CHECKING:
    from pathlib import Path

    from docs.site.system import System

    from codegen.contract.model import ContractFile


@pytest.fixture(scope="module")
def contracts() -> tuple[ContractFile, ...]:
    return tuple(read_contracts(ROOT / "protos"))


def test_what_services_declare_to_call_is_called_somewhere(system: System) -> None:
    assert system.calls
    for call in system.calls:
        called = {
            name
            for use in system.usage.uses[call.callee]
            if use.path.startswith(f"services/{call.caller}/") and use.path.endswith(".py")
            for name in use.names
        }
        assert called & set(call.methods), (call.caller, call.callee)


def test_what_services_say_that_they_take_is_taken_somewhere(system: System) -> None:
    for flow in system.flows:
        taken = {
            name
            for use in system.usage.uses[flow.publisher]
            if use.path.startswith(f"services/{flow.subscriber}/")
            for name in use.names
        }
        assert set(flow.events) <= taken, (flow.publisher, flow.subscriber)


def test_clients_are_those_that_builds_generate(system: System) -> None:
    assert set(system.usage.clients) == {
        "clients/android",
        "clients/ios",
        "clients/python",
        "clients/web",
    }


def uses_of(
    folder: Path, contracts: tuple[ContractFile, ...], place: str, text: str
) -> tuple[Use, ...]:
    path = folder / "services" / place
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return find_usage(folder, contracts).uses.get("inventory", ())


@pytest.mark.parametrize(
    "text",
    [
        "const item = await shop.inventory.getItem({ sku });",
        "const { getItem } = shop.inventory;\n",
        "const { getItem: itemOf, nothing } = shop.inventory;\n",
        "const { inventory, session } = shop;\nuse(() => inventory.getItem({ sku }));\n",
    ],
)
def test_a_page_of_the_shop_uses_what_it_asks_the_client_for(
    tmp_path: Path, contracts: tuple[ContractFile, ...], text: str
) -> None:
    found = uses_of(tmp_path, contracts, "inventory/storefront/page.tsx", text)
    assert found == (
        Use("services/inventory/storefront/page.tsx", ("inventory.v1.InventoryApi.GetItem",)),
    )


MODULE = """
from services.inventory.records.messagebus_bus import InventoryStub
from services.inventory.records.messagebus_events import ITEM_CHANGED


async def items(inventory: InventoryStub) -> None:
    await inventory.batch_get_items(request)
"""


def test_a_module_uses_what_it_calls_and_the_events_that_it_names(
    tmp_path: Path, contracts: tuple[ContractFile, ...]
) -> None:
    assert uses_of(tmp_path, contracts, "orders/api/orders.py", MODULE) == (
        Use(
            "services/orders/api/orders.py",
            ("inventory.v1.Inventory.BatchGetItems", "inventory.v1.ItemChanged"),
        ),
    )


@pytest.mark.parametrize(
    ("place", "text"),
    [
        # Its own, and a test.
        ("inventory/api/items.py", MODULE),
        ("orders/api/orders_test.py", MODULE),
        # Something else of the same name.
        ("orders/api/orders.py", "async def f(x):\n    await x.batch_get_items(1)\n"),
        ("orders/storefront/page.ts", "shop.inventory.nothing(); other.inventory.getItem();"),
    ],
)
def test_what_is_no_use_of_a_contract_is_not_taken_for_one(
    tmp_path: Path, contracts: tuple[ContractFile, ...], place: str, text: str
) -> None:
    assert uses_of(tmp_path, contracts, place, text) == ()
