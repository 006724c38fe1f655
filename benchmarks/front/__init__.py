"""What customers meet at the front door, however the shop is cut into processes."""
