"""What home does with events of other services."""
