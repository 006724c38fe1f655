"""The site in a browser, opened from a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docs.site.conftest import ROOT
from docs.site.main import site_of, write

if TYPE_CHECKING:
    from pathlib import Path

    from docs.browser.conftest import Look

PAGES = (
    "index.html",
    "services/orders.html",
    "services/notifications.html",
    "access.html",
    "docs/architecture.html",
    "docs/adr/README.html",
)


def test_the_site_is_read_and_searched_without_a_server(
    look: Look, pictures: Path, tmp_path: Path
) -> None:
    site = site_of(ROOT)
    write(site, tmp_path)
    seen = look("site.ts", tmp_path, pictures, *PAGES)
    assert seen["problems"] == []
    assert seen["complaints"] == []
    # Of every page that has diagrams, each was drawn.
    diagrams = {path: text.count('<figure class="diagram">') for path, text in site.items()}
    assert {path: len(all_) for path, all_ in seen["drawn"].items() if all_} == {
        path: count for path, count in diagrams.items() if count
    }
    assert "TakePayment" in seen["drawn"]["docs/architecture.html"][-1]
    found = seen["found"]
    assert found["place order"][0] == "PlaceOrder"
    assert found["outofst"][0] == "OutOfStock"
    assert found["placed_order"][0] == "placed_order"
    assert "Calls over NATS have a protocol of their own" in " ".join(found["nats protocol"])
    assert found["xyzzy"] == []
    assert seen["place"] == "services/orders.html#orders.v1.OrdersApi.PlaceOrder"
    assert len(list(pictures.glob("site-*[0-9].png"))) >= 2 * len(PAGES)
