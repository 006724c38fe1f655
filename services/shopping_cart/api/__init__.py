"""Answers clients that fill a cart."""
