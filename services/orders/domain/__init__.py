"""Rules of orders that belong neither to a transport nor to a table."""
