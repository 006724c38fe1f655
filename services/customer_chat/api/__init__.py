"""Answers customers and agents."""
