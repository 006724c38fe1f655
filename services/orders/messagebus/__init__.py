"""Answers other services, and listens to them."""
