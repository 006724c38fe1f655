"""Answers clients that browse the catalogue."""
