"""The whole shop in one artifact: all services in one process, or any of them.

Adding a service to the shop is adding it to this list.
"""

from __future__ import annotations

from typing import Final

from director.reference.serving import REFERENCE
from director.rendering.commands import add_render_commands
from seam.http.static_site import StaticSite
from seam.runtime import main
from services.authentication.service import SERVICE as AUTHENTICATION
from services.customer_chat.service import SERVICE as CUSTOMER_CHAT
from services.home.service import SERVICE as HOME
from services.inventory.service import SERVICE as INVENTORY
from services.notifications.service import SERVICE as NOTIFICATIONS
from services.orders.service import SERVICE as ORDERS
from services.payments.service import SERVICE as PAYMENTS
from services.search.service import SERVICE as SEARCH
from services.shopping_cart.service import SERVICE as SHOPPING_CART

SERVICES: Final = (
    INVENTORY,
    SHOPPING_CART,
    PAYMENTS,
    ORDERS,
    AUTHENTICATION,
    CUSTOMER_CHAT,
    HOME,
    SEARCH,
    NOTIFICATIONS,
)

SITES: Final = (StaticSite("/", "clients.storefront.site"), REFERENCE)

if __name__ == "__main__":
    main("shop", SERVICES, whole_system=True, add_commands=add_render_commands, sites=SITES)
