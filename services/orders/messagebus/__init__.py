"""Listens to other services."""
