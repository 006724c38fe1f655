"""Rules that belong neither to a transport nor to a table: what a payment may look like."""
