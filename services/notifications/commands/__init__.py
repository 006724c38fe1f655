"""What the artifact of the notifications can do besides serving."""
