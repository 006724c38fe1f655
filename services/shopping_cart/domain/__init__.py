"""Rules of the shopping cart that belong neither to a transport nor to a table."""
