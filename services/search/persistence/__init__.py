"""What of the catalogue can be found, and finding it: the only code that knows the tables."""
