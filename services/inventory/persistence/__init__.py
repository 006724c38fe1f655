"""Keeps the catalogue and the reservations."""
