"""Answers clients."""
