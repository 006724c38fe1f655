"""A shop that is taken apart and put together again while customers buy, on the data it has.

It begins as one process without a broker. Then the shopping cart is broken out, and events reach it
over NATS; then it is merged again, with what the broker still holds for it; and so on.
"""

from __future__ import annotations

import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from seam.testing.nats import NatsServer
from seam.testing.proxy import proxying
from tests.faults.parts import Part, System, provider_at, victim
from tests.faults.schedule import Fault
from tests.faults.victim import STEPS
from tests.system.processes import free_port

_REST: Final = (
    '"inventory", "payments", "orders", "authentication", "customer_chat", "search",'
    ' "notifications"'
)


@asynccontextmanager
async def moving(directory: Path) -> AsyncIterator[System]:
    """Embedded databases, and a shopping cart that moves between two processes."""
    http, paying = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory(prefix="nats-") as store:
        nats = NatsServer(Path(store))
        nats.start()
        try:
            async with proxying(nats.address) as proxy:
                shop = f'[process.shop]\nhttp = "{http}"\nservices = [{_REST}'
                cart = (
                    '[process.shopping_cart]\nservices = ["shopping_cart"]\n'
                    f'grpc = "127.0.0.1:{free_port()}"\n'
                )
                others = f'grpc = "127.0.0.1:{free_port()}"\n'
                broker = f'[events]\nbroker = "nats://{proxy.address}"\n'
                setting = f'[settings.payments]\nprovider = "http://{paying}"\n'
                together = f'{shop}, "shopping_cart"]\n'
                forms = [
                    Form(directory, "alone", together + setting, ()),
                    Form(directory, "apart", f"{shop}]\n{others}{cart}{broker}{setting}", _CART),
                    Form(directory, "together", together + broker + setting, ()),
                ]
                system = System(
                    url=f"http://{http}",
                    parts={"provider": provider_at(directory, paying), **forms[0].parts},
                    directory=directory,
                    possible=(
                        *[(Fault.MOVE, "shopping_cart")] * 3,
                        (Fault.KILL, "shop"),
                        (Fault.FREEZE, "shop"),
                        (Fault.CRASH, "broker"),
                        (Fault.FREEZE, "broker"),
                        (Fault.DUPLICATE, "broker"),
                    ),
                    steps=tuple(f"shop: {step}" for step in STEPS if step in _OFTEN),
                    nats=nats,
                    proxy=proxy,
                )
                system.move = Moves(system, forms).move
                for part in system.parts.values():
                    part.start()
                try:
                    yield system
                finally:
                    for part in system.parts.values():
                        part.signal(signal.SIGCONT)
                        part.kill()
        finally:
            nats.kill()


_CART: Final = ("shopping_cart",)
_OFTEN: Final = ("commits of orders, before", "commits of orders, after", "take payment, done")
"""Steps that the shop passes wherever its cart is, as often as there are orders."""


class Form:
    """One way to divide the shop among processes."""

    def __init__(self, directory: Path, name: str, topology: str, more: tuple[str, ...]) -> None:
        """Write the topology, and prepare the processes `shop` and `more`."""
        file = directory / f"{name}.toml"
        file.write_text(topology)
        settings = ["--topology", str(file), "--data", str(directory / "data")]
        self.parts = {
            process: Part(
                [*victim(directory, process, "shop"), *settings, "--process", process],
                directory / process,
                listens=1 if process != "shop" or not more else 2,
            )
            for process in ("shop", *more)
        }


class Moves:
    """Takes a shop from form to form."""

    def __init__(self, system: System, forms: list[Form]) -> None:
        """Begin with the first of `forms`, and never return to it."""
        self._system = system
        self._forms = forms
        self._form = 0

    def move(self) -> None:
        """End all processes of the shop without warning; whoever starts parts starts the others."""
        for name in self._forms[self._form].parts:
            self._system.parts.pop(name).kill()
        self._form = 1 if self._form != 1 else 2
        self._system.parts.update(self._forms[self._form].parts)
