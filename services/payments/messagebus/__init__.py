"""Answers other services."""
