"""Answers clients that look for something to buy."""
