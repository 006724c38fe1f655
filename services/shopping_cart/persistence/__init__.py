"""Keeps carts."""
