"""Brings the catalogue into the index: event by event, and as a whole."""
