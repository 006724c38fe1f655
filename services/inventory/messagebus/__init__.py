"""Answers other services that look items up or hold stock."""
