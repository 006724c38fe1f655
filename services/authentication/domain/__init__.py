"""Rules of accounts that belong neither to a transport nor to a table."""
