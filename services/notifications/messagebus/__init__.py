"""Hears of what people are written to about."""
