"""What the artifact of the search can do besides serving."""
