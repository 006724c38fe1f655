"""The work of orders that spans services."""
