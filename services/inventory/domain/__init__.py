"""Rules of the inventory that belong neither to a transport nor to a table."""
