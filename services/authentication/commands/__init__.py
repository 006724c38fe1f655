"""What the artifact can do besides serving."""
