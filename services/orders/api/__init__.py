"""Answers clients that buy what a cart holds."""
