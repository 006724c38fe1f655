"""The reference of the shop's API at `/docs`, where it can be tried, and its events beside it.

Pages are in `site/`. What shows the OpenAPI document is installed from npm at build time.
"""

from __future__ import annotations

from typing import Final

from seam.http.static_site import StaticSite

__all__ = ["REFERENCE"]

_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Nothing comes from elsewhere, and no script is run that is not a file. Swagger UI styles elements
one by one, which is what `unsafe-inline` lets it do."""

REFERENCE: Final = StaticSite("/docs", "director.reference.site", _POLICY)
