"""Answers clients: accounts, and sessions."""
