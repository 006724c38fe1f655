"""What home keeps; nobody else knows its tables."""
