"""Answers other services that read carts."""
