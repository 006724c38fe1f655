"""Rules of chats that belong neither to a transport nor to a table."""
