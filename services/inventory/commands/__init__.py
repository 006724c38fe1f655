"""What the inventory's artifact can do besides serving."""
