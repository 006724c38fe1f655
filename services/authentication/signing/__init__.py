"""Keys that sign tokens: made, kept and followed by others."""
