"""Answers other services that verify tokens."""
