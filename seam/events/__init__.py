"""Events: published in the transaction that they tell of, and handled exactly once in effect.

`publish` writes an event into the service's outbox. A relay delivers it, in the process or through
a broker, to what other services have made with `subscribe`. docs/events.md follows an event.
"""

from seam.events.publishing import publish
from seam.events.subscription import Subscription, subscribe
from seam.events.tables import event_tables

__all__ = ["Subscription", "event_tables", "publish", "subscribe"]
