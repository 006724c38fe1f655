"""Orders from cart to confirmation, in one process and fully split."""
