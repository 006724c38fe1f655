"""What the artifact of orders can do beside serving them."""
